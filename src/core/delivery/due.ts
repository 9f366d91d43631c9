/**
 * When what waits is due. Events wait a little for others, so that they travel together; what somebody waits for is due
 * at once, and so is a whole batch. The record keeps it, so that every host honours it, and one that dies leaves it to
 * the next. Pure.
 *
 * `delivery.due` says from which `seq` on rows are due when: the earlier entry of what may be on its way, the later one
 * of what came since. Without it, all that waits is due.
 */
import type { OutboxRow } from "../../protocol/api.js";
import { waitingIn } from "../record/profile-queues.js";
import type { DueRows, TrackerRecord } from "../tracker-record.js";
import { BATCH_OPERATIONS } from "./batch.js";
import { pending } from "./pending.js";

const dueUntil = ({ acceptedAt, dueAt }: DueRows, now: number): number | null =>
  pending(acceptedAt, dueAt, now);

/** When the first row that waits is due; `null` where one is now. */
export const firstDueAt = ({ delivery: { due } }: TrackerRecord, now: number): number | null =>
  due?.[0] ? dueUntil(due[0], now) : null;

const withDueRows = (record: TrackerRecord, due: readonly DueRows[]): TrackerRecord => {
  const { due: _, ...delivery } = record.delivery;
  return { ...record, delivery: due.length > 0 ? { ...delivery, due } : delivery };
};

/** Lets all that waits go at once. */
export const withAllDue = (record: TrackerRecord): TrackerRecord =>
  record.delivery.due ? withDueRows(record, []) : record;

/** What waits for a person: everything but events. */
const isAwaited = ({ type }: OutboxRow): boolean => type !== "event";

/**
 * Says when rows that were just accepted are due.
 *
 * @param before The record without them.
 * @param delayMs How long they may wait for others.
 */
export const withDue = (
  record: TrackerRecord,
  before: TrackerRecord,
  rows: readonly OutboxRow[],
  delayMs: number,
  now: number,
): TrackerRecord => {
  if (rows.length === 0) return record;
  const isWholeBatch = waitingIn(record) >= BATCH_OPERATIONS;
  if (delayMs <= 0 || isWholeBatch || rows.some(isAwaited)) return withAllDue(record);
  const dueAt = now + delayMs;
  const earlier = waitingIn(before) === 0 ? [] : (before.delivery.due ?? [ALL_DUE]);
  const last = earlier.at(-1);
  if (last && dueUntil(last, now) !== null) {
    return last.dueAt <= dueAt ? record : withDueRows(record, [...earlier.slice(0, -1), { ...last, dueAt }]);
  }
  // It stays due, also where the clock was set back to before the time that was promised.
  const overdue = earlier.slice(0, 1).map((entry) => ({ ...entry, dueAt: Math.min(entry.dueAt, now) }));
  return withDueRows(record, [...overdue, { fromSeq: before.nextSeq, acceptedAt: now, dueAt }]);
};

const ALL_DUE: DueRows = { fromSeq: 0, acceptedAt: 0, dueAt: 0 };

/** Once all rows below a `seq` that may be sent are settled: what came after them has its own time. */
export const withSettledBelow = (record: TrackerRecord, seq: number): TrackerRecord => {
  const { due } = record.delivery;
  if (!due) return record;
  if (waitingIn(record) === 0) return withAllDue(record);
  const left = due.filter((_, index) => (due[index + 1]?.fromSeq ?? Infinity) > seq);
  return left.length === due.length ? record : withDueRows(record, left);
};
