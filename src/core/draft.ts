/** A change being made inside one decision: the record so far, and the rows that go with it. */
import type { OutboxRow, Profile } from "../protocol/api.js";
import type { Operation, ProfileMergeOperation } from "../protocol/wire.js";
import { DAY, STANDARD_EVENTS } from "../protocol/wire.js";
import { withLane } from "./lanes.js";
import type { Change } from "./ports.js";
import type { SessionBook, SessionMark } from "./session-clock.js";
import { endDue } from "./session-clock.js";
import { iso } from "./time.js";
import type { TrackerRecord } from "./tracker-record.js";
import { selectedProfile } from "./tracker-record.js";

/** A merge as it waits: its token is added when it is sent. */
export type UnsentOperation =
  | Exclude<Operation, ProfileMergeOperation>
  | (Omit<ProfileMergeOperation, "from"> & { from: { kind: "visitor"; id: string } });

export interface Draft {
  record: TrackerRecord;
  readonly now: number;
  readonly put: OutboxRow[];
  readonly retire: string[];
}

/** The service refuses what is older than 30 days; an end that old would only be rejected. */
const OLDEST_END_MS = 29 * DAY;

export const draftOf = (record: TrackerRecord, now: number): Draft => ({ record, now, put: [], retire: [] });

export const changeOf = ({ record, put, retire }: Draft): Change => ({ record, put, retire });

export const append = (draft: Draft, profile: Profile, operation: UnsentOperation): void => {
  const { record } = draft;
  draft.put.push({
    seq: record.nextSeq,
    id: operation.id,
    type: operation.type,
    state: "waiting",
    profile,
    ...(operation.type === "event" && { sessionId: operation.sessionId }),
    occurredAt: operation.occurredAt,
    operation,
  });
  const counted = withLane(record, profile, (lane) => ({ ...lane, waiting: lane.waiting + 1 }));
  const { visitor } = record;
  draft.record = {
    ...counted,
    nextSeq: record.nextSeq + 1,
    visitor: visitor && profile.id === visitor.id ? { ...visitor, hasOperations: true } : visitor,
  };
};

export const bookOf = ({ session, pastSessions }: TrackerRecord): SessionBook => ({ session, pastSessions });

/** Records a session's start or end. Its id makes even a race of hosts one row on the service. */
export const appendMark = (draft: Draft, profile: Profile, { kind, session }: SessionMark): void => {
  const at = kind === "start" ? session.startedAt : (session.endedAt as number);
  if (kind === "end" && at < draft.now - OLDEST_END_MS) return;
  append(draft, profile, {
    id: `${kind === "start" ? "s" : "e"}-${session.id}`,
    type: "event",
    occurredAt: iso(at),
    sessionId: session.id,
    definitionId: STANDARD_EVENTS[kind],
  });
};

/** Ends the open session if it is due, and records that. */
export const endDueSession = (draft: Draft, now = draft.now): void => {
  const profile = selectedProfile(draft.record);
  const { book, ended } = endDue(bookOf(draft.record), now);
  if (!ended || !profile) return;
  draft.record = { ...draft.record, ...book };
  appendMark(draft, profile, { kind: "end", session: ended });
};
