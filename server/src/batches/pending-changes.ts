import type { EventOperation } from "../../../src/protocol/wire.js";
import { advanceSession, type ActivitySession } from "./activity-session.js";
import type { Moment } from "./operation-times.js";

/** The write set of a batch, collected so that it takes a few statements however many operations there are. */
export interface PendingChanges {
  events: { event: EventOperation; moment: Moment }[];
  /** The ids of operations that are no events. */
  otherIds: string[];
  /** By session id. */
  sessions: Map<string, ActivitySession>;
  /** The `seq`s of the service's own closings, which later events of the browser replace. */
  withdrawn: number[];
  lastActivityAt: number;
}

export const noChanges = (): PendingChanges => ({
  events: [],
  otherIds: [],
  sessions: new Map(),
  withdrawn: [],
  lastActivityAt: 0,
});

/** @param known the owner's sessions, updated with the event's */
export function addEvent(
  pending: PendingChanges,
  event: EventOperation,
  moment: Moment,
  known: Map<string, ActivitySession>,
): void {
  const { sessionId, definitionId } = event;
  const before = known.get(sessionId);
  if (before && before.closingSeq !== null) pending.withdrawn.push(before.closingSeq);
  const after = advanceSession(before, sessionId, definitionId, moment.at);
  known.set(sessionId, after);
  pending.sessions.set(sessionId, after);
  pending.events.push({ event, moment });
  pending.lastActivityAt = Math.max(pending.lastActivityAt, moment.at);
}
