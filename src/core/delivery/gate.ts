/** When something may be sent: back-off, `Retry-After`, stops. Pure. */
import type { Profile, TrackingError } from "../../protocol/api.js";
import { MINUTE, SECOND } from "../../protocol/wire.js";
import { withoutCompressionJudged } from "./compression.js";
import { sameProfile, withProfileQueue, withClosedBreaker } from "../record/profile-queues.js";
import { pending } from "./pending.js";
import type { WireAnswer } from "../ports.js";
import type { DeliveryRecord, ProfileQueue, CircuitBreaker, TrackerRecord } from "../tracker-record.js";
import { isOptedOut } from "../tracker-record.js";

const FIRST_RETRY_MS = 1 * SECOND;
const LONGEST_RETRY_MS = 5 * MINUTE;
const OPEN_BREAKER_MS = 15 * MINUTE;

/** `Retry-After`: binds every request to the endpoint. */
export const boundUntil = ({ retryAfter }: DeliveryRecord, now: number): number | null =>
  retryAfter ? pending(retryAfter.receivedAt, retryAfter.endsAt, now) : null;

const backedOffUntil = ({ retry }: DeliveryRecord, now: number): number | null =>
  retry ? pending(retry.decidedAt, retry.nextAt, now) : null;

const breakerOpenUntil = (stop: CircuitBreaker | undefined, now: number): number | null =>
  stop ? pending(stop.stoppedAt, stop.trialAt, now) : null;

export const isBreakerOpen = (stop: CircuitBreaker | undefined, now: number): boolean =>
  breakerOpenUntil(stop, now) !== null;

export type Plan =
  { kind: "idle" } | { kind: "wait"; until: number } | { kind: "send"; lanes: ProfileQueue[] };

/** What delivery should do now. */
export const planOf = (record: TrackerRecord, now: number): Plan => {
  const waiting = record.lanes.filter((queue) => queue.waiting > 0);
  if (isOptedOut(record) || !record.connection || waiting.length === 0) return { kind: "idle" };
  const { delivery } = record;
  const bound = Math.max(
    boundUntil(delivery, now) ?? 0,
    backedOffUntil(delivery, now) ?? 0,
    breakerOpenUntil(delivery.keyStop, now) ?? 0,
  );
  if (bound > 0) return { kind: "wait", until: bound };
  const lanes = waiting.filter(({ stop }) => !isBreakerOpen(stop, now));
  if (lanes.length > 0) return { kind: "send", lanes };
  return { kind: "wait", until: Math.min(...waiting.map(({ stop }) => stop?.trialAt ?? now)) };
};

/** The service did not take it: wait with full jitter. */
export const withFailure = (
  record: TrackerRecord,
  now: number,
  random: number,
  error: TrackingError,
): TrackerRecord => {
  const failures = record.delivery.failures + 1;
  const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20));
  const { earlyAttemptAt = 0 } = record.delivery;
  const backedOffUntil = now + Math.round(random * ceiling);
  // An early attempt that was put off while this one was under way comes when it is due.
  const nextAt = earlyAttemptAt > now ? Math.min(backedOffUntil, earlyAttemptAt) : backedOffUntil;
  const retry = { decidedAt: now, nextAt };
  return { ...record, delivery: { ...record.delivery, failures, retry, lastError: error } };
};

/** Keeps what an answer, whatever else it says, asks for with `Retry-After`; never less than an earlier one did. */
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
const withClosedKeyBreaker = ({ keyStop: _, ...delivery }: DeliveryRecord): DeliveryRecord => delivery;

/** The service answers: no reason to wait. How often it failed counts on until it takes operations. */
export const withGoodAnswer = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: withoutLastError(withoutWaiting(record.delivery)),
});

/** The service took operations, or said plainly why not. */
export const withSuccess = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: { ...withoutLastError(withoutWaiting(record.delivery)), failures: 0 },
});

/** Lets the next attempt come now, and not before `Retry-After`. If it fails, back-off goes on from where it was. */
export const withoutRetry = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: withoutWaiting(record.delivery),
});

/** Ends back-off, and not `Retry-After`: somebody asked for a flush. */
export const withoutBackOff = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: { ...withoutWaiting(record.delivery), failures: 0 },
});

/** Lets every stop have its one trial request: an `init`, a host start, an early attempt. */
export const withHalfOpenBreakers = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: withClosedKeyBreaker(record.delivery),
  lanes: record.lanes.map(withClosedBreaker),
});

/** Another service or another key: what the former one said, and how it was reached, counts no more. */
export const withoutBounds = (record: TrackerRecord): TrackerRecord => {
  const free = withoutBackOff(withHalfOpenBreakers(record));
  const { retryAfter: _, ...delivery } = withoutCompressionJudged(free.delivery);
  const lanes = free.lanes.map(({ unregistered: __, ...queue }) => queue);
  return { ...free, delivery, lanes };
};

/**
 * Stops the key (`null`) or one profile, and keeps everything. A profile's registration goes: its trial is to ask for
 * the right anew, with the Live Chat token of that time.
 */
export const withOpenBreaker = (
  record: TrackerRecord,
  profile: Profile | null,
  error: TrackingError,
  now: number,
): TrackerRecord => {
  const stop: CircuitBreaker = { error, stoppedAt: now, trialAt: now + OPEN_BREAKER_MS };
  const delivery = { ...withoutWaiting(record.delivery), failures: 0, lastError: error };
  return profile
    ? withProfileQueue({ ...record, delivery }, profile, ({ registration: _, ...queue }) => ({
        ...queue,
        stop,
      }))
    : { ...record, delivery: { ...delivery, keyStop: stop } };
};

/** The key works, and this profile may be written to. */
export const withClosedBreakersOf = (record: TrackerRecord, profile: Profile): TrackerRecord => ({
  ...record,
  delivery: withClosedKeyBreaker(record.delivery),
  lanes: record.lanes.map((queue) =>
    sameProfile(queue.profile, profile) ? withClosedBreaker(queue) : queue,
  ),
});
