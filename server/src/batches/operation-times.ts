import { DAY, LIMITS, MINUTE } from "../../../src/protocol/wire.js";

/** Up to here a difference is the way of a request, or a clock as good as any. */
export const CLOCK_TOLERANCE_MS = 2 * MINUTE;

/**
 * What an operation needs beside itself (its id, its session, its Live Chat session) is kept for this long: longer than
 * the age at which operations are refused, by more than a clock may be off without being corrected.
 */
export const FORGET_AFTER_MS = LIMITS.operationAgeMs + DAY;

/** One moment by two clocks. */
export interface Moment {
  /** Corrected; never later than the moment at which the service heard of it. */
  at: number;
  /** By the browser's clock. */
  givenAt: number;
  /** How far that clock is behind the service's, the request's way included. */
  clockOffsetMs: number;
}

/** Corrects the times of a batch for a clock that is wrong by more than a request can take. */
export function momentsOfBatch(receivedAt: number, sentAt: number): (givenAt: number) => Moment {
  const clockOffsetMs = receivedAt - sentAt;
  const correctionMs = Math.abs(clockOffsetMs) > CLOCK_TOLERANCE_MS ? clockOffsetMs : 0;
  // A time in the future is wrong whatever the clock: what was sent has happened. A browser a minute ahead would
  // otherwise stand before what others did later.
  return (givenAt) => ({ at: Math.min(givenAt + correctionMs, receivedAt), givenAt, clockOffsetMs });
}

/**
 * Whether something happened no later than something else. Corrected times carry the way of two requests, which can turn
 * two moments of one browser around; where both come from the same clock, that clock knows best.
 */
export const isNoLater = (moment: Moment, than: Moment): boolean =>
  Math.abs(moment.clockOffsetMs - than.clockOffsetMs) <= CLOCK_TOLERANCE_MS
    ? moment.givenAt <= than.givenAt
    : moment.at <= than.at;
