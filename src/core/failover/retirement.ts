/**
 * What a host in memory writes to the disk before a new one begins there. Pure.
 *
 * That is what somebody decided (consent, an erase), who is at the keyboard, the Live Chat sessions that are over, the
 * end of the open session, and the rows that were not delivered: rejected ones, and what cannot be sent now.
 */
import type { OutboxRow, Profile } from "../../protocol/api.js";
import { isProcessed, unitedProcessedCommands } from "../commands/processed-commands.js";
import { boundUntil } from "../delivery/back-off.js";
import { planOf } from "../delivery/plan.js";
import type { ReadSet, Snapshot, WriteSet } from "../ports.js";
import {
  profileQueueOf,
  sameProfile,
  withoutIdleQueues,
  withProfileQueue,
  withRowCounts,
} from "../record/profile-queues.js";
import { liveChatTold, retirementKeys } from "../record/profile-selection.js";
import { mergedBefore } from "../record/timeline.js";
import { endSessionAt, unitOfWorkOn } from "../record/unit-of-work.js";
import { instant } from "../time.js";
import type { ProfileQueue, TrackerRecord } from "../tracker-record.js";
import { emptyRecord, selectedProfile } from "../tracker-record.js";
import { withKnown } from "./emptied-disk.js";
import type { Held } from "./memory-tracker-store.js";

type MaybeRecord = TrackerRecord | null;

/** What the disk held as the host left it, and what it may hold by the host's own doing. */
export interface KnownDisk {
  left: MaybeRecord;
  begun: MaybeRecord;
}

const wasErased = ({ generation }: TrackerRecord, left: MaybeRecord): boolean =>
  generation > (left?.generation ?? 0);

/** Unless there is something to send soon. An erase does not wait for that: the next host has to know of it. */
export const mayRetire = ({ record }: Held, left: MaybeRecord, now: number): boolean =>
  !["send", "gather"].includes(planOf(record, now).kind) || wasErased(record, left);

export const needToRetire = ({ record: { liveChat }, pages }: Held): ReadSet => ({
  pages: pages.map(({ pageId }) => pageId),
  liveChat: liveChat ? retirementKeys({ ...liveChat, token: "" }) : [],
});

const isChosen = ({ consent }: TrackerRecord): boolean => consent === "in" || consent === "out";

/** What was decided in memory holds; Global Privacy Control never against what somebody chose. */
const consentOf = (disk: TrackerRecord, mine: TrackerRecord, left: MaybeRecord): TrackerRecord["consent"] => {
  const isChanged = mine.consent !== (left?.consent ?? "undecided");
  return isChanged && (isChosen(mine) || !isChosen(disk)) ? mine.consent : disk.consent;
};

const isNobody = (record: MaybeRecord): boolean => !record || selectedProfile(record) === null;

const isSameHistory = (a: TrackerRecord, b: MaybeRecord): boolean =>
  b !== null &&
  sameProfile(selectedProfile(a), selectedProfile(b)) &&
  a.liveChat?.id === b.liveChat?.id &&
  a.session?.id === b.session?.id;

/** Memory's history continues the disk's, unless somebody else has moved on there, or cleared the site's data. */
const isContinuation = (
  disk: TrackerRecord,
  { record, retired }: Held,
  { left, begun }: KnownDisk,
  isEmptied: boolean,
): boolean => {
  if (isNobody(disk)) return isNobody(left) && (!isEmptied || isNobody(begun));
  const chat = disk.liveChat?.id;
  const isChatOver = chat !== undefined && chat !== record.liveChat?.id && retired.includes(chat);
  const isNew = isNobody(record) || !sameProfile(selectedProfile(record), left && selectedProfile(left));
  // The visitor that the disk has went over into a person.
  const selected = selectedProfile(disk);
  const hasMerged = selected !== null && mergedBefore(record, selected, Infinity) !== selected;
  return (isChatOver && isNew) || hasMerged || isSameHistory(disk, left) || isSameHistory(disk, begun);
};

const knowsSession = (record: MaybeRecord, id = ""): boolean =>
  record !== null && [record.session, ...record.pastSessions].some((session) => session?.id === id);

/** A row in doubt that the disk has after all, or that its page has sent to another host. */
const isOn = ({ record, pages }: Snapshot, { id, sessionId }: OutboxRow): boolean => {
  if (id === `s-${sessionId}`) return knowsSession(record, sessionId);
  const dash = id.lastIndexOf("-");
  const processed = pages.get(id.slice(0, dash));
  return processed !== undefined && isProcessed(processed, Number(id.slice(dash + 1)));
};

/** Another host merged the visitor since: what came after the merge is the person's. */
const profileOn = (disk: TrackerRecord, { profile, state, occurredAt }: OutboxRow): Profile =>
  state === "waiting" ? mergedBefore(disk, profile, instant(occurredAt)) : profile;

/** The end of a session that gives way. */
const endOf = (record: TrackerRecord, now: number): OutboxRow[] => {
  const work = unitOfWorkOn(record, now);
  endSessionAt(work, now);
  return work.put;
};

const isBoundLonger = (a: TrackerRecord, b: TrackerRecord, now: number): boolean =>
  (boundUntil(a.delivery, now) ?? 0) > (boundUntil(b.delivery, now) ?? 0);

/** Tokens, stops and open merges; rows are counted in the place where they are. */
const withCredentials = (
  record: TrackerRecord,
  { waiting: _, rejected: __, ...credentials }: ProfileQueue,
): TrackerRecord => withProfileQueue(record, credentials.profile, (queue) => ({ ...queue, ...credentials }));

export const closingChange = (
  disk: Snapshot,
  held: Held,
  known: KnownDisk,
  now: number,
): WriteSet & { record: TrackerRecord } => {
  const mine = held.record;
  const { left, begun } = known;
  const found = withKnown(disk.record, left);
  const isErased = wasErased(mine, left) && mine.generation > found.generation;
  // What waits has waited long enough: it is due.
  const { due: _, ...delivery } =
    isErased || isBoundLonger(mine, found, now) ? mine.delivery : found.delivery;
  const base: TrackerRecord = {
    ...(isErased ? { ...emptyRecord(), nextSeq: found.nextSeq } : found),
    consent: consentOf(found, mine, left),
    connection: mine.connection ?? found.connection,
    generation: Math.max(mine.generation, found.generation),
    delivery,
  };
  const retire = [...held.retired];
  // Another host erased all since this one left: nothing of before comes back.
  if (left && found.generation > mine.generation) return { record: base, retire };

  const isContinued = isErased || isContinuation(found, held, known, found !== disk.record);
  const { visitor, liveChat, selections, session, pastSessions } = mine;
  const open = base.session;
  const isOpen = open?.id === session?.id && (open?.lastActivityAt ?? 0) > (session?.lastActivityAt ?? 0);
  const hasEnded = base.pastSessions.some(({ id }) => id === session?.id);
  const current = isOpen ? open : hasEnded ? null : session;
  const history = { visitor, liveChat, selections, pastSessions, session: current };
  const givesWay = isContinued
    ? ![mine, left, begun].some((record) => knowsSession(record, open?.id)) && base
    : ![base, left].some((record) => knowsSession(record, session?.id)) && mine;
  const whole = { ...base, ...(isContinued && history) };
  const remaining = held.rows.filter((row) => isErased || !isOn(disk, row));
  const rows = [...remaining, ...(givesWay ? endOf(givesWay, now) : [])].map((row, index) => ({
    ...row,
    profile: profileOn(whole, row),
    seq: base.nextSeq + index,
  }));
  const record = { ...whole, nextSeq: base.nextSeq + rows.length };
  const work = unitOfWorkOn(withRowCounts(mine.lanes.reduce(withCredentials, record), rows), now);
  work.put.push(...rows);
  work.retire.push(...retire);
  if (isErased && found.liveChat && found.liveChat.id !== liveChat?.id) work.retire.push(found.liveChat.id);
  // A chat that began in memory: its page has reported it, and does not report it again.
  if (!isContinued && liveChat && ![base, left].some((one) => one?.liveChat?.id === liveChat.id)) {
    const token = profileQueueOf(mine, { kind: liveChat.kind, id: liveChat.personId }).liveChatToken;
    if (token !== undefined) liveChatTold(work, { ...liveChat, token }, now, disk.retired);
  }
  return {
    record: withoutIdleQueues(work.record),
    put: work.put,
    retire: work.retire,
    pages: held.pages.map((processed) =>
      isErased ? processed : unitedProcessedCommands(processed, disk.pages.get(processed.pageId)),
    ),
    ...(isErased && { erase: true }),
  };
};
