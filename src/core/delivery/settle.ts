/** What the service's results for a batch change: acknowledged rows leave, rejected ones stay with their reason. */
import type { OutboxRow, Profile, TrackingError } from "../../protocol/api.js";
import type { OperationResult } from "../../protocol/wire.js";
import type { ReadSet, Snapshot, WriteSet } from "../ports.js";
import { withoutIdleQueues, withProfileQueue } from "../record/profile-queues.js";
import type { TrackerRecord } from "../tracker-record.js";
import { serviceError } from "./answers.js";
import { mergedVisitorId } from "./batch.js";

export const readSetToSettle = (profile: Profile, rows: readonly OutboxRow[]): ReadSet => ({
  waiting: { profile, from: rows[0]?.seq ?? 0, to: rows.at(-1)?.seq ?? 0 },
});

const UNEXPLAINED = { code: 0, name: "RejectedError", message: "The service gave no reason." };

/** No longer needs the token of the visitor that the merge named. */
export const withoutMerging = (record: TrackerRecord, merge: OutboxRow): TrackerRecord =>
  withProfileQueue(
    record,
    { kind: "visitor", id: mergedVisitorId(merge) },
    ({ merging: _, ...queue }) => queue,
  );

/**
 * Settles what the answer names. Rows that somebody else settled meanwhile are left alone, so that a sender that was
 * frozen and wakes changes nothing twice.
 */
export const settle = (
  snapshot: Snapshot,
  profile: Profile,
  rows: readonly OutboxRow[],
  results: ReadonlyMap<string, OperationResult>,
): { change: WriteSet & { record: TrackerRecord }; unanswered: number; lastRejection?: TrackingError } => {
  const waiting = new Set(snapshot.waitingSeqs);
  const remove: number[] = [];
  const put: OutboxRow[] = [];
  let { record } = snapshot;
  let unanswered = 0;
  let lastRejection: TrackingError | undefined;
  for (const row of rows) {
    const result = results.get(row.id);
    if (!result) unanswered += 1;
    if (!result || !waiting.has(row.seq)) continue;
    if (result.status === "rejected") {
      lastRejection = serviceError(result.error ?? UNEXPLAINED);
      put.push({ ...row, state: "rejected", error: lastRejection });
    } else {
      remove.push(row.seq);
      if (row.type === "profile.merge") record = withoutMerging(record, row);
    }
  }
  record = withProfileQueue(record, profile, (queue) => ({
    ...queue,
    waiting: queue.waiting - remove.length - put.length,
    rejected: queue.rejected + put.length,
  }));
  if (remove.length > 0) record = { ...record, delivery: { ...record.delivery, refusedAlone: 0 } };
  return {
    change: { record: withoutIdleQueues(record), remove, put },
    unanswered,
    ...(lastRejection && { lastRejection }),
  };
};
