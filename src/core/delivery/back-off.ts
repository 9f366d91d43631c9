/** Back-off after failed requests, and `Retry-After`, which the service asks for. Pure. */
import type { TrackingError } from "../../protocol/api.js";
import { MINUTE, SECOND } from "../../protocol/wire.js";
import type { WireAnswer } from "../ports.js";
import type { DeliveryRecord, TrackerRecord } from "../tracker-record.js";
import { pending } from "./pending.js";

const FIRST_RETRY_MS = 1 * SECOND;
const LONGEST_RETRY_MS = 5 * MINUTE;

/** `Retry-After`: binds every request to the endpoint. */
export const boundUntil = ({ retryAfter }: DeliveryRecord, now: number): number | null =>
  retryAfter ? pending(retryAfter.receivedAt, retryAfter.endsAt, now) : null;

export const backedOffUntil = ({ retry }: DeliveryRecord, now: number): number | null =>
  retry ? pending(retry.decidedAt, retry.nextAt, now) : null;

/** Waits after a failed request, with full jitter. */
export const withFailure = (
  record: TrackerRecord,
  now: number,
  random: number,
  error: TrackingError,
): TrackerRecord => {
  const failures = record.delivery.failures + 1;
  const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20));
  const { earlyAttemptAt = 0 } = record.delivery;
  const backOffEndsAt = now + Math.round(random * ceiling);
  // An early attempt that was put off while this one was under way comes when it is due.
  const nextAt = earlyAttemptAt > now ? Math.min(backOffEndsAt, earlyAttemptAt) : backOffEndsAt;
  const retry = { decidedAt: now, nextAt };
  return { ...record, delivery: { ...record.delivery, failures, retry, lastError: error } };
};

/** Keeps the `Retry-After` of an answer, whatever its status. A later end of an earlier one holds. */
export const withRetryAfter = (
  record: TrackerRecord,
  now: number,
  { retryAfterMs }: WireAnswer,
): TrackerRecord => {
  if (retryAfterMs === undefined) return record;
  const endsAt = now + retryAfterMs;
  if (endsAt <= (boundUntil(record.delivery, now) ?? 0)) return record;
  return { ...record, delivery: { ...record.delivery, retryAfter: { receivedAt: now, endsAt } } };
};

const withoutWaiting = ({ retry: _, ...delivery }: DeliveryRecord): DeliveryRecord => delivery;
const withoutLastError = ({ lastError: _, ...delivery }: DeliveryRecord): DeliveryRecord => delivery;

/** Ends back-off because the service answered. Failures count on until it accepts operations. */
export const withGoodAnswer = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: withoutLastError(withoutWaiting(record.delivery)),
});

/** Ends back-off, and its count of failures, because the service accepted or rejected operations. */
export const withSuccess = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: { ...withoutLastError(withoutWaiting(record.delivery)), failures: 0 },
});

/** Lets the next request go now, but not before `Retry-After`. If it fails, back-off goes on from where it was. */
export const withoutRetry = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: withoutWaiting(record.delivery),
});

/** Ends back-off, but not `Retry-After`, because a flush was requested. */
export const withoutBackOff = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: { ...withoutWaiting(record.delivery), failures: 0 },
});
