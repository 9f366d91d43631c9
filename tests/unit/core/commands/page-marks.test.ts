import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { PageMarks } from "../../../../src/core/commands/page-marks.js";
import {
  decided,
  isDecided,
  newPageMarks,
  refusalOf,
  unitedMarks,
} from "../../../../src/core/commands/page-marks.js";
import { trackingError } from "../../../../src/core/errors.js";

const NOW = 1_000;
const error = (cause: string) => trackingError(2016, "worker", cause);
const decideAll = (numbers: readonly number[]): PageMarks =>
  numbers.reduce((marks, n) => decided(marks, n, NOW), newPageMarks("page"));
const refuseAll = (numbers: readonly number[]): PageMarks =>
  numbers.reduce((marks, n) => decided(marks, n, NOW, error("opted out")), newPageMarks("page"));
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test("numbers in order are one high-water mark, however many", () => {
  expect(decideAll(range(1, 1_000))).toEqual({
    ...newPageMarks("page"),
    decidedUpTo: 1_000,
    touchedAt: NOW,
  });
});

test("a number that never comes costs one gap, however many come after it", () => {
  const marks = decideAll([1, ...range(3, 1_000)]);
  expect(marks.gaps).toEqual([{ from: 2, to: 2 }]);
  expect(isDecided(marks, 2)).toBe(false);
});

test("in whatever order numbers come, those decided are exactly those that came", () => {
  const numbers = fc.shuffledSubarray(range(1, 30));
  fc.assert(
    fc.property(numbers, (numbers) => {
      const marks = decideAll(numbers);
      const decidedOnes = range(1, 31).filter((n) => isDecided(marks, n));
      expect(decidedOnes).toEqual([...numbers].toSorted((a, b) => a - b));
      expect(marks.gaps).toEqual([...marks.gaps].toSorted((a, b) => a.from - b.from));
      expect(marks.gaps.every(({ from, to }) => from <= to)).toBe(true);
    }),
  );
});

test("a refusal stays one, with its error", () => {
  const refused = decided(decided(newPageMarks("page"), 1, NOW), 2, NOW, error("full"));
  expect([1, 2, 3].map((n) => refusalOf(refused, n))).toEqual([undefined, error("full"), undefined]);
});

test("thousands refused for one reason stay refused, and take one entry", () => {
  const marks = range(1, 5_000).reduce(
    (marks, n) => decided(marks, n, NOW, error("full")),
    newPageMarks("page"),
  );
  expect(marks.refused).toHaveLength(1);
  expect(refusalOf(marks, 1)).toEqual(error("full"));
  expect(refusalOf(marks, 5_000)).toEqual(error("full"));
});

test("what was accepted between refusals is no refusal", () => {
  const full = error("full");
  const marks = decided(decided(decided(newPageMarks("page"), 1, NOW, full), 2, NOW), 3, NOW, full);
  expect(refusalOf(marks, 2)).toBeUndefined();
  expect(marks.refused).toHaveLength(2);
});

test("of refusals for different reasons the last 100 are kept", () => {
  const marks = range(1, 150).reduce(
    (marks, n) => decided(marks, n, NOW, error(`cause ${n}`)),
    newPageMarks("page"),
  );
  expect(marks.refused).toHaveLength(100);
  expect(refusalOf(marks, 51)).toEqual(error("cause 51"));
});

test("of two stores' marks, what only one refused stays refused, be it among refusals of both", () => {
  const united = unitedMarks(refuseAll(range(1, 4)), refuseAll([1, 2]));
  expect(range(1, 4).map((n) => refusalOf(united, n))).toEqual(range(1, 4).map(() => error("opted out")));
});
