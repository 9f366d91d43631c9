import type { EventDefinition, Operation, ProfileMergeOperation } from "../../../src/protocol/wire.js";
import { DAY, HOUR, LIMITS, STANDARD_EVENTS } from "../../../src/protocol/wire.js";
import { hashSecret } from "../credentials/secrets.js";
import type { Registration } from "../registrations/registrations.js";
import type { ActivitySession } from "./activity-session.js";
import { judgeEvent } from "./judge-event.js";
import { isNoLater, type Moment } from "./operation-times.js";
import type { Parties } from "./profile-locks.js";
import { rejection, type Rejection } from "./rejection.js";

/** A browser that was offline learns late that its Live Chat session ended: it tracked the person until then. */
const TRACK_AFTER_LIVE_CHAT_MS = 24 * HOUR;

/** Each merge is written by itself, so a batch of nothing else would hold its transaction for long. */
export const MERGES_PER_BATCH = 100;

/** What an operation is judged by. */
export interface Judgement {
  registration: Registration;
  parties: Parties;
  receivedAt: number;
  definitions: ReadonlyMap<string, EventDefinition>;
  /** The profile of each merge's token, by the token's hash. */
  tokens: ReadonlyMap<string, number>;
}

/** Why an operation that is no duplicate must not be applied, or null. */
export function judgeOperation(
  operation: Operation,
  moment: Moment,
  session: ActivitySession | undefined,
  judgement: Judgement,
): Rejection | null {
  if (moment.at < judgement.receivedAt - LIMITS.operationAgeMs)
    return rejection(4223, `it occurred more than ${LIMITS.operationAgeMs / DAY} days ago`);
  return (
    judgeMergedSender(moment, judgement) ??
    judgeLiveChat(operation, moment, session, judgement) ??
    judgeByType(operation, judgement)
  );
}

/** A visitor's registration outlives the visitor: what happened before the merge is the person's. */
function judgeMergedSender(moment: Moment, { parties: { sender } }: Judgement): Rejection | null {
  if (sender.mergedInto === null) return null;
  const merge: Moment = {
    at: sender.mergedAt ?? 0,
    givenAt: sender.mergedGivenAt ?? 0,
    clockOffsetMs: sender.mergedClockOffsetMs ?? 0,
  };
  // The same millisecond counts as before: the tracker had still taken it for the visitor's.
  return isNoLater(moment, merge) ? null : rejection(4226, "it occurred after the visitor was merged");
}

function judgeLiveChat(
  operation: Operation,
  moment: Moment,
  session: ActivitySession | undefined,
  { registration: { liveChatEndedAt } }: Judgement,
): Rejection | null {
  if (liveChatEndedAt === null || moment.at <= liveChatEndedAt + TRACK_AFTER_LIVE_CHAT_MS) return null;
  const isEnd = operation.type === "event" && operation.definitionId === STANDARD_EVENTS.end;
  if (isEnd && session && session.startedAt <= liveChatEndedAt) return null;
  return rejection(
    4227,
    `it occurred more than ${TRACK_AFTER_LIVE_CHAT_MS / HOUR} hours after the Live Chat session ended`,
  );
}

function judgeByType(operation: Operation, judgement: Judgement): Rejection | null {
  switch (operation.type) {
    case "event":
      return judgeEvent(operation, judgement.definitions);
    case "profile.merge":
      return judgeMerge(operation, judgement);
    case "person.update":
    case "list.append":
      return judgement.registration.kind === "lead" ? null : rejection(4224, "only a lead can be updated");
  }
}

function judgeMerge({ from }: ProfileMergeOperation, { parties, tokens }: Judgement): Rejection | null {
  const { owner, sender } = parties;
  if (sender.kind === "visitor") return rejection(4225, "a visitor merges into a person");
  const visitor = parties.visitors.get(from.id.toLowerCase());
  if (!visitor) return rejection(4225, `a batch holds at most ${MERGES_PER_BATCH} merges`);
  // Said before the token is looked at: of two persons that merge a visitor nobody had heard of, neither has one.
  if (visitor.mergedInto !== null)
    return visitor.mergedInto === owner.key
      ? null
      : rejection(4225, "the visitor was merged into another person");
  // Nothing is known of it, so there is nothing to take from anyone; its first registration would have made it known.
  if (parties.newVisitors.has(visitor.key)) return null;
  return tokens.get(hashSecret(from.token)) === visitor.key
    ? null
    : rejection(4225, "the token is not a registration token of that visitor");
}
