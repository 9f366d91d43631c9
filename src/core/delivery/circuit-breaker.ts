/**
 * Circuit breakers, one for the API key and one for each profile. The service's refusal opens one: nothing is sent, and
 * nothing is lost. It is half-open once its time has come, or once something new is known: one probe request may go,
 * which closes it or opens it again. Pure.
 *
 * The record keeps open breakers only, in its fields `stop` and `keyStop`. A half-open one leaves it, as a closed one
 * does.
 */
import type { Profile, TrackingError } from "../../protocol/api.js";
import { MINUTE } from "../../protocol/wire.js";
import { sameProfile, withClosedBreaker, withProfileQueue } from "../record/profile-queues.js";
import type { CircuitBreaker, DeliveryRecord, TrackerRecord } from "../tracker-record.js";
import { withoutRetry } from "./back-off.js";
import { pending } from "./pending.js";

const OPEN_BREAKER_MS = 15 * MINUTE;

/** When the probe request may go; `null` where requests may go now. */
export const breakerOpenUntil = (breaker: CircuitBreaker | undefined, now: number): number | null =>
  breaker ? pending(breaker.stoppedAt, breaker.trialAt, now) : null;

export const isBreakerOpen = (breaker: CircuitBreaker | undefined, now: number): boolean =>
  breakerOpenUntil(breaker, now) !== null;

const withClosedKeyBreaker = ({ keyStop: _, ...delivery }: DeliveryRecord): DeliveryRecord => delivery;

/** Lets every breaker have its one probe request: an `init`, a host start, an early attempt. */
export const withHalfOpenBreakers = (record: TrackerRecord): TrackerRecord => ({
  ...record,
  delivery: withClosedKeyBreaker(record.delivery),
  lanes: record.lanes.map(withClosedBreaker),
});

/**
 * Opens the breaker of the key (`null`) or of one profile. A profile's registration goes: its probe request is one for a
 * new registration, with the Live Chat token of that time.
 */
export const withOpenBreaker = (
  record: TrackerRecord,
  profile: Profile | null,
  error: TrackingError,
  now: number,
): TrackerRecord => {
  const breaker: CircuitBreaker = { error, stoppedAt: now, trialAt: now + OPEN_BREAKER_MS };
  const { delivery } = withoutRetry(record);
  const refused = { ...record, delivery: { ...delivery, failures: 0, lastError: error } };
  return profile
    ? withProfileQueue(refused, profile, ({ registration: _, ...queue }) => ({ ...queue, stop: breaker }))
    : { ...refused, delivery: { ...refused.delivery, keyStop: breaker } };
};

/** The key works, and this profile may be written to. */
export const withClosedBreakersOf = (record: TrackerRecord, profile: Profile): TrackerRecord => ({
  ...record,
  delivery: withClosedKeyBreaker(record.delivery),
  lanes: record.lanes.map((queue) =>
    sameProfile(queue.profile, profile) ? withClosedBreaker(queue) : queue,
  ),
});
