/**
 * Acceptance is exactly once: per page load the store keeps which command numbers are decided, as a high-water mark and
 * the few numbers beyond a gap. What is sent again, by a page that lost its host or by a journal found days later, is
 * answered again and changes nothing.
 */
import type { TrackingError } from "../protocol/api.js";
import { DAY } from "../protocol/wire.js";

export interface PageMarks {
  pageId: string;
  /** Every number up to this one is decided. */
  decidedUpTo: number;
  /** Decided numbers beyond a gap, ascending. */
  decidedBeyond: readonly number[];
  /** The last refusals, so that a refusal stays one. */
  refused: readonly { n: number; error: TrackingError }[];
  touchedAt: number;
}

/** As long as a visitor lives: a journal older than that speaks of nobody. */
export const PAGE_MARKS_LIFETIME_MS = 45 * DAY;
const REFUSALS_KEPT = 100;

export const newPageMarks = (pageId: string): PageMarks => ({
  pageId,
  decidedUpTo: 0,
  decidedBeyond: [],
  refused: [],
  touchedAt: 0,
});

export const isDecided = (marks: PageMarks, n: number): boolean =>
  n <= marks.decidedUpTo || marks.decidedBeyond.includes(n);

export const refusalOf = (marks: PageMarks, n: number): TrackingError | undefined =>
  marks.refused.find((refusal) => refusal.n === n)?.error;

/** Marks a number as decided; with an error, as refused. */
export const decided = (marks: PageMarks, n: number, now: number, error?: TrackingError): PageMarks => {
  const refused = error ? [...marks.refused, { n, error }].slice(-REFUSALS_KEPT) : marks.refused;
  if (n === marks.decidedUpTo + 1 && marks.decidedBeyond.length === 0) {
    return { ...marks, decidedUpTo: n, refused, touchedAt: now };
  }
  const beyond = [...marks.decidedBeyond, n].toSorted((a, b) => a - b);
  let upTo = marks.decidedUpTo;
  while (beyond[0] === upTo + 1) upTo = beyond.shift() as number;
  return { ...marks, decidedUpTo: upTo, decidedBeyond: beyond, refused, touchedAt: now };
};
