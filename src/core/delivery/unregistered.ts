/** What a person can do about profiles that the service refuses to register: try again, or let go of what waits. */
import type { OutboxRow, Profile } from "../../protocol/api.js";
import type { TrackerStore, WriteSet } from "../ports.js";
import {
  profileQueueOf,
  sameProfile,
  withClosedBreaker,
  withoutIdleQueues,
  withProfileQueue,
} from "../record/profile-queues.js";
import type { ProfileQueue, TrackerRecord } from "../tracker-record.js";
import { mergedVisitorId } from "./batch.js";
import { readSetToSettle, withoutMerging } from "./settle.js";

/** Rows in one transaction, so that others get their turn. */
const CHUNK = 1_000;

/** Lets each of them have its probe request at once. */
export const withUnregisteredHalfOpen = (record: TrackerRecord): TrackerRecord =>
  record.lanes.some(({ unregistered }) => unregistered)
    ? {
        ...record,
        lanes: record.lanes.map((queue) => (queue.unregistered ? withClosedBreaker(queue) : queue)),
      }
    : record;

/**
 * Lets go of what waits for a profile that cannot be registered, and of the merge of such a visitor: those with these
 * ids, or all. Answers how many there were.
 */
export const discardUnregistered = async (store: TrackerStore, ids?: readonly string[]): Promise<number> => {
  const wanted = ids && new Set(ids);
  const { lanes } = await store.read();
  let count = 0;
  for (const { profile, unregistered, waiting } of lanes) {
    if (unregistered && waiting > 0) count += await discardIn(store, profile, wanted);
  }
  return count;
};

const discardIn = async (
  store: TrackerStore,
  profile: Profile,
  wanted: ReadonlySet<string> | undefined,
): Promise<number> => {
  let count = 0;
  for (let after = 0; ;) {
    const { rows } = await store.readWaiting([profile], CHUNK, after);
    const last = rows.at(-1);
    if (!last) return count;
    count += await store.commit(readSetToSettle(profile, rows), ({ record, waitingSeqs }) => {
      const waiting = new Set(waitingSeqs);
      const queue = profileQueueOf(record, profile);
      const discarded = rows.filter(
        (row) => waiting.has(row.seq) && isUndeliverable(row, queue) && (!wanted || wanted.has(row.id)),
      );
      return { change: changeWithout(discarded, record, profile), result: discarded.length };
    });
    after = last.seq;
  }
};

/** By now the profile that it needs may have been registered. */
const isUndeliverable = (row: OutboxRow, { profile, unregistered }: ProfileQueue): boolean =>
  unregistered !== undefined && (sameProfile(unregistered, profile) || isMergeOf(row, unregistered));

const isMergeOf = (row: OutboxRow, { id }: Profile): boolean =>
  row.type === "profile.merge" && mergedVisitorId(row) === id;

const changeWithout = (
  discarded: readonly OutboxRow[],
  record: TrackerRecord,
  profile: Profile,
): WriteSet => {
  if (discarded.length === 0) return {};
  const merges = discarded.filter(({ type }) => type === "profile.merge");
  const counted = withProfileQueue(record, profile, (queue) => {
    const left = { ...queue, waiting: queue.waiting - discarded.length };
    return isBlockedBy(merges, queue) ? unblocked(left) : left;
  });
  return {
    record: withoutIdleQueues(merges.reduce(withoutMerging, counted)),
    remove: discarded.map(({ seq }) => seq),
  };
};

/** Nothing stands in the way of what comes after the merge. */
const isBlockedBy = (merges: readonly OutboxRow[], { profile, unregistered }: ProfileQueue): boolean =>
  unregistered !== undefined &&
  !sameProfile(unregistered, profile) &&
  merges.some((merge) => isMergeOf(merge, unregistered));

const unblocked = ({ unregistered: _, ...queue }: ProfileQueue): ProfileQueue => withClosedBreaker(queue);
