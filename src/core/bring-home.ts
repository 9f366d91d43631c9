/**
 * What a host carries on with when the disk stops answering, and how what it accepted meanwhile comes to the disk. Pure:
 * the store moves it in one transaction. What the disk already holds stays out by the numbers of its commands; what
 * both hold all the same has one id, which the service takes once.
 */
import type { OutboxRow, Profile } from "../protocol/api.js";
import { SECOND } from "../protocol/wire.js";
import { unitOfWorkOn, endSessionAt } from "./record/unit-of-work.js";
import { boundUntil } from "./delivery/back-off.js";
import {
  profileQueueOf,
  sameProfile,
  waitingIn,
  withProfileQueue,
  withoutIdleQueues,
} from "./record/profile-queues.js";
import type { ProcessedCommands } from "./commands/processed-commands.js";
import { isProcessed, unitedProcessedCommands } from "./commands/processed-commands.js";
import type { WriteSet, ReadSet, Snapshot } from "./ports.js";
import { liveChatTold, retirementKeys } from "./record/profile-selection.js";
import { instant } from "./time.js";
import { mergedBefore } from "./record/timeline.js";
import type { ProfileQueue, SessionRecord, TrackerRecord } from "./tracker-record.js";
import { emptyRecord, selectedProfile } from "./tracker-record.js";

/** Further than other hosts number while nobody looks: rows of two places never share a number. */
const SEQ_GAP = 1_000_000;
/** A disk that is only slow answers within this, and then what waits on it goes first. */
const SLOW_DISK_MS = 5 * SECOND;
const PAST_SESSIONS_KEPT = 20;

/** What a host holds in memory. */
export interface Held {
  record: TrackerRecord;
  rows: readonly OutboxRow[];
  pages: readonly ProcessedCommands[];
  retired: readonly string[];
  /** An erase was asked for meanwhile. */
  erased: boolean;
}

const withCounts = (record: TrackerRecord, rows: readonly OutboxRow[]): TrackerRecord =>
  rows.reduce(
    (counted, { profile, state }) =>
      withProfileQueue(counted, profile, (queue) => ({ ...queue, [state]: queue[state] + 1 })),
    record,
  );

/**
 * The same visitor and session, and of the rows those that the disk may never have got.
 *
 * @param unusedFrom numbers below are those of an earlier memory of this host, of which an answer may be on its way
 */
export const withoutDisk = (
  record: TrackerRecord,
  doubtful: readonly OutboxRow[],
  now: number,
  unusedFrom = 0,
): Pick<Held, "record" | "rows"> => {
  const gap = Math.max(SEQ_GAP, unusedFrom - (record.nextSeq - doubtful.length));
  const rows = doubtful.map((row) => ({ ...row, seq: row.seq + gap }));
  const lanes = record.lanes.map((queue) => ({ ...queue, waiting: 0, rejected: 0 }));
  const retry = { decidedAt: now, nextAt: now + SLOW_DISK_MS };
  const leftBehind = waitingIn(record) > rows.length;
  const delivery = leftBehind ? { ...record.delivery, retry } : record.delivery;
  const nextSeq = record.nextSeq + gap;
  return { record: withCounts({ ...record, nextSeq, lanes, delivery, lease: null }, rows), rows };
};

/**
 * What the host knows and an emptied database does not: where its pages deliver to, the choice to opt out, the erases.
 * Rows are numbered on, for one of the old database may be on its way and its answer must not meet another row.
 */
export const withKnown = (record: TrackerRecord, known: TrackerRecord | null): TrackerRecord => {
  if (record.connection || !known?.connection) return record;
  const { connection, consent, generation, nextSeq } = known;
  const { retryAfter } = known.delivery;
  return {
    ...record,
    connection,
    consent,
    generation,
    nextSeq: nextSeq + SEQ_GAP,
    delivery: { ...record.delivery, ...(retryAfter && { retryAfter }) },
  };
};

export const needToBringHome = ({ record, pages }: Held): ReadSet => ({
  pages: pages.map(({ pageId }) => pageId),
  liveChat: record.liveChat ? retirementKeys({ ...record.liveChat, token: "" }) : [],
});

const holdsAll = (all: readonly string[] = [], some: readonly string[] = []): boolean => {
  const known = new Set(all);
  return some.every((key) => known.has(key));
};

/** Whether what was asked of the disk answers this. */
export const isCovered = (readSet: ReadSet, asked: ReadSet): boolean =>
  holdsAll(asked.pages, readSet.pages) && holdsAll(asked.liveChat, readSet.liveChat);

const sameHistory = (a: TrackerRecord, b: TrackerRecord | null): boolean =>
  b !== null &&
  sameProfile(selectedProfile(a), selectedProfile(b)) &&
  a.liveChat?.id === b.liveChat?.id &&
  a.session?.id === b.session?.id;

const later = (a: SessionRecord | null, b: SessionRecord | null): SessionRecord | null =>
  a && b && a.id === b.id && b.lastActivityAt > a.lastActivityAt ? b : a;

const isOnDisk =
  (pages: Snapshot["pages"]) =>
  ({ id }: OutboxRow): boolean => {
    const dash = id.lastIndexOf("-");
    const processed = pages.get(id.slice(0, dash));
    return processed !== undefined && isProcessed(processed, Number(id.slice(dash + 1)));
  };

const withLaneOf = (record: TrackerRecord, held: ProfileQueue): TrackerRecord =>
  withProfileQueue(record, held.profile, (queue) => {
    const { waiting: _, rejected: __, ...known } = held;
    return { ...queue, ...known };
  });

const isChosen = ({ consent }: TrackerRecord): boolean => consent === "in" || consent === "out";

/** What was decided meanwhile holds; Global Privacy Control never against what somebody chose. */
const consentOf = (
  base: TrackerRecord,
  mine: TrackerRecord,
  left: TrackerRecord | null,
): TrackerRecord["consent"] => {
  const isChanged = mine.consent !== (left?.consent ?? "undecided");
  return isChanged && (isChosen(mine) || !isChosen(base)) ? mine.consent : base.consent;
};

const hasLeapt = (later: TrackerRecord, earlier: TrackerRecord): boolean =>
  later.nextSeq - earlier.nextSeq >= SEQ_GAP / 2;

/** Where the disk was emptied, another host numbered on as far as memory did: never with the numbers of its rows. */
const firstSeq = (base: TrackerRecord, mine: TrackerRecord, left: TrackerRecord | null): number =>
  hasLeapt(base, left ?? emptyRecord()) ? Math.max(base.nextSeq, mine.nextSeq) : base.nextSeq;

/**
 * Whether the person cleared the site's data since memory began: the disk knows nobody, or its rows are not numbered as
 * they would have been. What memory began on a disk that was empty already is nobody's past.
 */
const wasCleared = (
  disk: TrackerRecord,
  base: TrackerRecord,
  left: TrackerRecord | null,
  begun: TrackerRecord | null,
): boolean => {
  if (!left || !begun || hasLeapt(begun, left) || sameHistory(base, begun)) return false;
  if (selectedProfile(left) === null || selectedProfile(begun) === null) return false;
  return (
    base !== disk || selectedProfile(base) === null || base.nextSeq < left.nextSeq || hasLeapt(base, begun)
  );
};

/** Another host merged the visitor meanwhile: what came after the merge is the person's. */
const profileOf = ({ profile, state, occurredAt }: OutboxRow, base: TrackerRecord): Profile =>
  state === "waiting" ? mergedBefore(base, profile, instant(occurredAt)) : profile;

/** The later of two that the service asked for. */
const retryAfterOf = (base: TrackerRecord, mine: TrackerRecord, now: number) =>
  (boundUntil(mine.delivery, now) ?? 0) > (boundUntil(base.delivery, now) ?? 0)
    ? mine.delivery.retryAfter
    : base.delivery.retryAfter;

/**
 * @param left the disk's record as the host saw it last; `null` where it never did
 * @param begun what memory began with: that, or what a commit in doubt made of it
 */
export const bringHome = (
  disk: Snapshot,
  held: Held,
  left: TrackerRecord | null,
  now: number,
  begun = left,
): WriteSet & { record: TrackerRecord } => {
  const mine = held.record;
  // Numbered on from where memory is: what was sent from there is on its way too.
  const base = withKnown(disk.record, left && { ...left, nextSeq: mine.nextSeq });
  // The person cleared the site's data: who they were then stays forgotten, also where other hosts went on since.
  const isForgotten = wasCleared(disk.record, base, left, begun) && !held.erased;
  const consent = consentOf(base, mine, left);
  const retryAfter = retryAfterOf(base, mine, now);
  const delivery = { ...base.delivery, ...(retryAfter && { retryAfter }) };
  // Erased by another host: nothing of before comes back, but for what the service asked of this browser.
  if (left && !held.erased && base.generation > left.generation) {
    return { record: { ...base, consent, delivery } };
  }

  // Nobody else moved on: the history in memory is the disk's, continued.
  const goesOn =
    !isForgotten &&
    (held.erased ||
      selectedProfile(base) === null ||
      [left, begun, mine].some((record) => sameHistory(base, record)));
  const ending = unitOfWorkOn(mine, now);
  const known = new Set(base.pastSessions.map(({ id }) => id));
  // Of one that the disk knew, what happened there has made the end.
  const isKnown = [base, left].some((record) => record?.session?.id === mine.session?.id);
  const isOwn = !isKnown && !known.has(mine.session?.id ?? "");
  if (isForgotten || (!goesOn && isOwn)) endSessionAt(ending, now);
  const past = ending.record.pastSessions.filter(({ id }) => !known.has(id));
  const history = goesOn
    ? {
        visitor: mine.visitor,
        liveChat: mine.liveChat,
        selections: mine.selections,
        session: later(mine.session, base.session),
        pastSessions: mine.pastSessions,
      }
    : !isForgotten && { pastSessions: [...base.pastSessions, ...past].slice(-PAST_SESSIONS_KEPT) };

  const first = firstSeq(base, mine, left);
  const rows = [...held.rows, ...ending.put]
    .filter((row) => !isOnDisk(disk.pages)(row))
    .map((row, index) => ({ ...row, profile: profileOf(row, base), seq: first + index }));
  const record: TrackerRecord = {
    ...base,
    ...history,
    ...(held.erased && { lanes: [] }),
    consent,
    connection: mine.connection ?? base.connection,
    generation: held.erased ? Math.max(mine.generation, base.generation + 1) : base.generation,
    nextSeq: first + rows.length,
    delivery,
  };
  const work = unitOfWorkOn(withCounts(mine.lanes.reduce(withLaneOf, record), rows), now);
  work.put.push(...rows);
  work.retire.push(...held.retired);
  const { liveChat } = mine;
  const toldBefore = (isForgotten ? left : base)?.liveChat?.id;
  if (!goesOn && liveChat && liveChat.id !== toldBefore) {
    const person: Profile = { kind: liveChat.kind, id: liveChat.personId };
    const token = profileQueueOf(mine, person).liveChatToken;
    if (token !== undefined) liveChatTold(work, { ...liveChat, token }, now, disk.retired);
  }
  return {
    record: withoutIdleQueues(work.record),
    put: work.put,
    retire: work.retire,
    pages: held.pages.map((processed) =>
      unitedProcessedCommands(processed, disk.pages.get(processed.pageId)),
    ),
    ...(held.erased && { erase: true }),
  };
};
