import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ProcessedCommands } from "../../../../src/core/commands/processed-commands.js";
import {
  withProcessed,
  isProcessed,
  noProcessedCommands,
  refusalOf,
  unitedProcessedCommands,
} from "../../../../src/core/commands/processed-commands.js";
import { trackingError } from "../../../../src/core/errors.js";

const NOW = 1_000;
const error = (cause: string) => trackingError(2016, "worker", cause);
const decideAll = (numbers: readonly number[]): ProcessedCommands =>
  numbers.reduce((processed, n) => withProcessed(processed, n, NOW), noProcessedCommands("page"));
const refuseAll = (numbers: readonly number[]): ProcessedCommands =>
  numbers.reduce(
    (processed, n) => withProcessed(processed, n, NOW, error("opted out")),
    noProcessedCommands("page"),
  );
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("processed commands", () => {
  test("numbers in order are one high-water mark, however many", () => {
    expect(decideAll(range(1, 1_000))).toEqual({
      ...noProcessedCommands("page"),
      decidedUpTo: 1_000,
      touchedAt: NOW,
    });
  });

  test("a number that never comes costs one gap, however many come after it", () => {
    const processed = decideAll([1, ...range(3, 1_000)]);
    expect(processed.gaps).toEqual([{ from: 2, to: 2 }]);
    expect(isProcessed(processed, 2)).toBe(false);
  });

  test("in whatever order numbers come, those processed are exactly those that came", () => {
    const numbers = fc.shuffledSubarray(range(1, 30));
    fc.assert(
      fc.property(numbers, (numbers) => {
        const processed = decideAll(numbers);
        const decidedOnes = range(1, 31).filter((n) => isProcessed(processed, n));
        expect(decidedOnes).toEqual([...numbers].toSorted((a, b) => a - b));
        expect(processed.gaps).toEqual([...processed.gaps].toSorted((a, b) => a.from - b.from));
        expect(processed.gaps.every(({ from, to }) => from <= to)).toBe(true);
      }),
    );
  });

  test("a refusal stays one, with its error", () => {
    const refused = withProcessed(withProcessed(noProcessedCommands("page"), 1, NOW), 2, NOW, error("full"));
    expect([1, 2, 3].map((n) => refusalOf(refused, n))).toEqual([undefined, error("full"), undefined]);
  });

  test("thousands refused for one reason stay refused, and take one entry", () => {
    const processed = range(1, 5_000).reduce(
      (processed, n) => withProcessed(processed, n, NOW, error("full")),
      noProcessedCommands("page"),
    );
    expect(processed.refused).toHaveLength(1);
    expect(refusalOf(processed, 1)).toEqual(error("full"));
    expect(refusalOf(processed, 5_000)).toEqual(error("full"));
  });

  test("what was accepted between refusals is no refusal", () => {
    const full = error("full");
    const processed = withProcessed(
      withProcessed(withProcessed(noProcessedCommands("page"), 1, NOW, full), 2, NOW),
      3,
      NOW,
      full,
    );
    expect(refusalOf(processed, 2)).toBeUndefined();
    expect(processed.refused).toHaveLength(2);
  });

  test("of refusals for different reasons the last 100 are kept", () => {
    const processed = range(1, 150).reduce(
      (processed, n) => withProcessed(processed, n, NOW, error(`cause ${n}`)),
      noProcessedCommands("page"),
    );
    expect(processed.refused).toHaveLength(100);
    expect(refusalOf(processed, 51)).toEqual(error("cause 51"));
  });

  test("of two stores' marks, what only one refused stays refused, be it among refusals of both", () => {
    const united = unitedProcessedCommands(refuseAll(range(1, 4)), refuseAll([1, 2]));
    expect(range(1, 4).map((n) => refusalOf(united, n))).toEqual(range(1, 4).map(() => error("opted out")));
  });
});
