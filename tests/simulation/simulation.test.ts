/** Histories full of faults, on every run: a fixed set, and new ones. */
import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { bundle } from "./bundle.js";
import { addCounts, runSeeds } from "./pool.js";
import { simulate } from "./simulate.js";

const LIMIT_MS = 300_000;
const FIXED_SEEDS = 90;
const NEW_SEEDS = 10;

test(
  "whatever fails, each accepted operation is applied once, in order and on the right profile",
  async () => {
    const first = randomInt(1_000_000, 2 ** 31);
    console.log(`new seeds: from ${first} to ${first + NEW_SEEDS - 1}`);
    const seeds = [
      ...Array.from({ length: FIXED_SEEDS }, (_, index) => index + 1),
      ...Array.from({ length: NEW_SEEDS }, (_, index) => first + index),
    ];
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
