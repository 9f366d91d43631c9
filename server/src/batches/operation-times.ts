import { DAY, LIMITS, MINUTE } from "../../../src/protocol/wire.js";

/** Clocks that differ by less count as right: the difference may as well be the latency of the request. */
export const CLOCK_TOLERANCE_MS = 2 * MINUTE;

/**
 * What an operation needs beside itself (its id, its session, its Live Chat session) is kept for this long: longer than
 * the age at which operations are refused, by more than a clock may be off without being corrected.
 */
export const FORGET_AFTER_MS = LIMITS.operationAgeMs + DAY;

/** One moment by the clocks of the service and of the browser. */
export interface Moment {
  /** Corrected for the browser's clock, and never later than the time of receipt. */
  at: number;
  /** By the browser's clock. */
  givenAt: number;
  /** How far the browser's clock is behind the service's, with the latency of the request in it. */
  clockOffsetMs: number;
}

/** Corrects the times of a batch if the browser's clock is wrong by more than the latency of a request explains. */
export function momentsOfBatch(receivedAt: number, sentAt: number): (givenAt: number) => Moment {
  const clockOffsetMs = receivedAt - sentAt;
  const correctionMs = Math.abs(clockOffsetMs) > CLOCK_TOLERANCE_MS ? clockOffsetMs : 0;
  // No operation occurred after its receipt. Without this bound, a clock that is a minute ahead would place an event after
  // what others did later.
  return (givenAt) => ({ at: Math.min(givenAt + correctionMs, receivedAt), givenAt, clockOffsetMs });
}

/**
 * Whether a moment is not later than another. If both come from the same clock, that clock decides: corrected times contain
 * the latencies of two requests, which can swap two moments of one browser.
 */
export const isNoLater = (moment: Moment, than: Moment): boolean =>
  Math.abs(moment.clockOffsetMs - than.clockOffsetMs) <= CLOCK_TOLERANCE_MS
    ? moment.givenAt <= than.givenAt
    : moment.at <= than.at;
