/** Histories full of faults: a fixed set on every run; `npm run simulate` runs new ones, any number of them. */
import { expect, test } from "vitest";
import { bundle } from "./bundle.js";
import { addCounts, runSeeds } from "./pool.js";
import { simulate } from "./simulate.js";

const LIMIT_MS = 300_000;
const SEEDS = 100;

test(
  "whatever fails, each accepted operation is applied once, in order and on the right profile",
  async () => {
    const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1);
    const counts: Record<string, number> = {};
    const violations: string[] = [];
    await runSeeds({
      file: await bundle(),
      seeds,
      onReport: ({ seed, violation, counts: counted }) => {
        addCounts(counts, counted);
        if (violation) violations.push(`${violation}; replay: npm run simulate -- --seed ${seed} --trace`);
      },
    });
    expect(violations).toEqual([]);
    expect(counts["operations applied"]).toBeGreaterThan(5_000);
  },
  LIMIT_MS,
);

test(
  "the same seed runs the same history",
  async () => {
    const [first, second] = [await simulate(7), await simulate(7)];
    expect(second).toEqual(first);
  },
  LIMIT_MS,
);
