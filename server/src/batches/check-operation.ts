import type { EventDefinition, Operation, ProfileMergeOperation } from "../../../src/protocol/wire.js";
import { DAY, HOUR, LIMITS, STANDARD_EVENTS } from "../../../src/protocol/wire.js";
import { hashSecret } from "../credentials/secrets.js";
import type { Registration } from "../registrations/registrations.js";
import type { ActivitySession } from "./activity-session.js";
import { checkEvent } from "./check-event.js";
import { isNoLater, type Moment } from "./operation-times.js";
import type { Parties } from "./profile-locks.js";
import { rejection, type Rejection } from "./rejection.js";

/** A browser that was offline learns late that its Live Chat session ended: it tracked the person until then. */
const TRACK_AFTER_LIVE_CHAT_MS = 24 * HOUR;

/** Merges are written one by one, so a batch of many would keep its transaction open for long. */
export const MERGES_PER_BATCH = 100;

/** What an operation is checked against. */
export interface CheckContext {
  registration: Registration;
  parties: Parties;
  receivedAt: number;
  definitions: ReadonlyMap<string, EventDefinition>;
  /** The profile that each merge's visitor token was issued for, by the token's hash. */
  tokens: ReadonlyMap<string, number>;
}

/** Returns why an operation that is no duplicate is rejected, or null if it is accepted. */
export function checkOperation(
  operation: Operation,
  moment: Moment,
  session: ActivitySession | undefined,
  checkContext: CheckContext,
): Rejection | null {
  if (moment.at < checkContext.receivedAt - LIMITS.operationAgeMs)
    return rejection(4223, `it occurred more than ${LIMITS.operationAgeMs / DAY} days ago`);
  return (
    checkMergedSender(moment, checkContext) ??
    checkLiveChat(operation, moment, session, checkContext) ??
    checkByType(operation, checkContext)
  );
}

/** A visitor's registration outlives its merge: what occurred before the merge belongs to the person. */
function checkMergedSender(moment: Moment, { parties: { sender } }: CheckContext): Rejection | null {
  if (sender.mergedInto === null) return null;
  const merge: Moment = {
    at: sender.mergedAt ?? 0,
    givenAt: sender.mergedGivenAt ?? 0,
    clockOffsetMs: sender.mergedClockOffsetMs ?? 0,
  };
  // The same millisecond counts as before the merge, because the tracker recorded it for the visitor.
  return isNoLater(moment, merge) ? null : rejection(4226, "it occurred after the visitor was merged");
}

function checkLiveChat(
  operation: Operation,
  moment: Moment,
  session: ActivitySession | undefined,
  { registration: { liveChatEndedAt } }: CheckContext,
): Rejection | null {
  if (liveChatEndedAt === null || moment.at <= liveChatEndedAt + TRACK_AFTER_LIVE_CHAT_MS) return null;
  const isEnd = operation.type === "event" && operation.definitionId === STANDARD_EVENTS.end;
  if (isEnd && session && session.startedAt <= liveChatEndedAt) return null;
  return rejection(
    4227,
    `it occurred more than ${TRACK_AFTER_LIVE_CHAT_MS / HOUR} hours after the Live Chat session ended`,
  );
}

function checkByType(operation: Operation, checkContext: CheckContext): Rejection | null {
  switch (operation.type) {
    case "event":
      return checkEvent(operation, checkContext.definitions);
    case "profile.merge":
      return checkMerge(operation, checkContext);
    case "person.update":
    case "list.append":
      return checkContext.registration.kind === "lead" ? null : rejection(4224, "only a lead can be updated");
  }
}

function checkMerge({ from }: ProfileMergeOperation, { parties, tokens }: CheckContext): Rejection | null {
  const { owner, sender } = parties;
  if (sender.kind === "visitor") return rejection(4225, "a visitor merges into a person");
  const visitor = parties.visitors.get(from.id.toLowerCase());
  if (!visitor) return rejection(4225, `a batch holds at most ${MERGES_PER_BATCH} merges`);
  // Checked before the token: of two persons that merge the same unknown visitor, neither has a registered token.
  if (visitor.mergedInto !== null)
    return visitor.mergedInto === owner.key
      ? null
      : rejection(4225, "the visitor was merged into another person");
  // A visitor that never registered has no activity that a merge could take from someone else.
  if (parties.newVisitors.has(visitor.key)) return null;
  return tokens.get(hashSecret(from.token)) === visitor.key
    ? null
    : rejection(4225, "the token is not a registration token of that visitor");
}
