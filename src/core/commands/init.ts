/**
 * Decides what a page's `init()` changes: the service and the key in use, the profile that Live Chat names, and the page
 * view of the load. Pure.
 */
import type { Profile } from "../../protocol/api.js";
import type { CommandAnswer, LoadView, PageHello } from "../../protocol/host.js";
import { withHalfOpenBreakers } from "../delivery/circuit-breaker.js";
import { withoutBounds } from "../delivery/plan.js";
import type { Ids, ReadSet, Snapshot, WriteSet } from "../ports.js";
import { profileQueueOf } from "../record/profile-queues.js";
import { ensureProfile, liveChatTold, retirementKeys } from "../record/profile-selection.js";
import { unitOfWorkOn, writeSetOf } from "../record/unit-of-work.js";
import type { TrackerRecord } from "../tracker-record.js";
import { isOptedOut } from "../tracker-record.js";
import type { CommandGroup } from "./accept.js";
import { acceptInto } from "./accept.js";
import { problemsOf } from "./check-command.js";
import type { TimedInit } from "./page-clock.js";

/** The part of a page's hello that the record keeps. */
export type Hello = Pick<PageHello, "endpoint" | "apiKey" | "globalPrivacyControl">;

/** Uses the page's service and key, and heeds its Global Privacy Control where the user has not chosen. */
export const connected = (
  record: TrackerRecord,
  { endpoint, apiKey, globalPrivacyControl }: Hello,
): TrackerRecord => {
  const undecided = record.consent === "undecided" || record.consent === "gpc";
  const consent = undecided ? (globalPrivacyControl ? "gpc" : "undecided") : record.consent;
  const { connection } = record;
  const known = connection?.endpoint === endpoint && connection.apiKey === apiKey;
  if (known && consent === record.consent) return record;
  return { ...(known ? record : withoutBounds(record)), consent, connection: { endpoint, apiKey } };
};

/**
 * Returns the page view of a page load as commands. Its page has not met the store and knows of no erase. An erase
 * between the call and now refuses it; one in the future, from before the clock was set back, does not.
 */
export const viewGroupOf = (
  { pageId, command }: LoadView,
  { generation }: TrackerRecord,
  now: number,
): CommandGroup => {
  const isErased = command.at < generation && generation <= now;
  const commands = [{ ...command, generation: isErased ? 0 : generation }];
  return { pageId, commands, invalid: problemsOf(commands) };
};

export const readSetOfInit = ({ liveChat, view }: TimedInit): ReadSet => ({
  pages: view ? [view.pageId] : [],
  liveChat: liveChat ? retirementKeys(liveChat) : [],
});

export interface Initialized {
  record: TrackerRecord;
  profile: Profile;
  /** The service does not know the profile yet: its page view is to be accepted once it is registered. */
  isNew: boolean;
  answers: CommandAnswer[];
}

/** Selects the profile, and records the page view unless the profile is new. */
export const initialize = (
  snapshot: Snapshot,
  hello: Hello,
  { at, liveChat, view }: TimedInit,
  now: number,
  ids: Ids,
  mayGather = true,
): { change: WriteSet & { record: TrackerRecord }; result: Initialized } => {
  const before = withHalfOpenBreakers(connected(snapshot.record, hello));
  const work = unitOfWorkOn(before, now);
  if (liveChat) liveChatTold(work, liveChat, at, snapshot.retired);
  const profile = ensureProfile(work, at, ids);
  const isActive = !isOptedOut(work.record);
  const isNew = isActive && !profileQueueOf(work.record, profile).registration;
  const groups = view && isActive && !isNew ? [viewGroupOf(view, work.record, now)] : [];
  const { pages, answers } = acceptInto(work, snapshot, groups, ids, before, mayGather);
  const { record } = work;
  return {
    change: { ...writeSetOf(work), pages },
    result: { record, profile, isNew, answers: answers.flat() },
  };
};
