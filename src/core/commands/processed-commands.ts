/**
 * The deduplication ledger, by which each command is processed exactly once. It keeps the numbers of a page load's
 * processed commands as a high-water mark and its gaps. A command that arrives again, from a page that lost its host or
 * from a journal found days later, gets its answer again and changes nothing. The ledger stays small: it grows with the
 * lost and the refused commands, not with all.
 */
import type { TrackingError } from "../../protocol/api.js";

/** Numbers from one to another, both included. */
interface Range {
  from: number;
  to: number;
}

export interface ProcessedCommands {
  pageId: string;
  /** The highest number that is processed; they begin at 1. */
  decidedUpTo: number;
  /** The numbers below it that are not processed, ascending. */
  gaps: readonly Range[];
  /** The last refusals, so that a refused command stays refused; neighbours with the same error share a range. */
  refused: readonly (Range & { error: TrackingError })[];
  touchedAt: number;
}

const REFUSALS_KEPT = 100;

const holds =
  (n: number) =>
  ({ from, to }: Range): boolean =>
    from <= n && n <= to;

export const noProcessedCommands = (pageId: string): ProcessedCommands => ({
  pageId,
  decidedUpTo: 0,
  gaps: [],
  refused: [],
  touchedAt: 0,
});

export const isProcessed = ({ decidedUpTo, gaps }: ProcessedCommands, n: number): boolean =>
  n <= decidedUpTo && !gaps.some(holds(n));

export const refusalOf = ({ refused }: ProcessedCommands, n: number): TrackingError | undefined =>
  refused.find(holds(n))?.error;

const without = ({ from, to }: Range, n: number): Range[] =>
  [
    { from, to: n - 1 },
    { from: n + 1, to },
  ].filter((range) => range.from <= range.to);

const withRefusal = (
  refused: ProcessedCommands["refused"],
  n: number,
  error: TrackingError,
): ProcessedCommands["refused"] => {
  const last = refused.at(-1);
  const continues =
    last?.to === n - 1 && last.error.code === error.code && last.error.message === error.message;
  return continues
    ? [...refused.slice(0, -1), { ...last, to: n }]
    : [...refused, { from: n, to: n, error }].slice(-REFUSALS_KEPT);
};

/** Adds a number that was not processed; with an error, as refused. */
export const withProcessed = (
  processed: ProcessedCommands,
  n: number,
  now: number,
  error?: TrackingError,
): ProcessedCommands => {
  const { decidedUpTo } = processed;
  const skipped = without({ from: decidedUpTo + 1, to: n }, n);
  return {
    ...processed,
    decidedUpTo: Math.max(decidedUpTo, n),
    gaps: [...processed.gaps.flatMap((gap) => (holds(n)(gap) ? without(gap, n) : [gap])), ...skipped],
    refused: error ? withRefusal(processed.refused, n, error) : processed.refused,
    touchedAt: now,
  };
};

const unprocessedIn = ({ decidedUpTo, gaps }: ProcessedCommands): Range[] => [
  ...gaps,
  { from: decidedUpTo + 1, to: Infinity },
];

/** Unites the ledgers of two stores: a command that either has processed is processed. */
export const unitedProcessedCommands = (
  processed: ProcessedCommands,
  others: ProcessedCommands | undefined,
): ProcessedCommands => {
  if (!others) return processed;
  const decidedUpTo = Math.max(processed.decidedUpTo, others.decidedUpTo);
  const inBoth = unprocessedIn(processed).flatMap((one) =>
    unprocessedIn(others).map((other) => ({
      from: Math.max(one.from, other.from),
      to: Math.min(one.to, other.to, decidedUpTo),
    })),
  );
  const own = processed.refused.flatMap((range) =>
    unprocessedIn(others)
      .map(({ from, to }) => ({ ...range, from: Math.max(from, range.from), to: Math.min(to, range.to) }))
      .filter(({ from, to }) => from <= to),
  );
  return {
    ...processed,
    decidedUpTo,
    gaps: inBoth.filter(({ from, to }) => from <= to),
    refused: [...others.refused, ...own].toSorted((a, b) => a.from - b.from).slice(-REFUSALS_KEPT),
    touchedAt: Math.max(processed.touchedAt, others.touchedAt),
  };
};
