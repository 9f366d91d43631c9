/** Histories full of faults, the same on every run; `npm run simulate` runs any number of others. */
import { describe, expect, test } from "vitest";
import { bundle } from "./bundle.js";
import { addCounts, runSeeds } from "./pool.js";
import { simulate } from "./simulate.js";

const LIMIT_MS = 300_000;
/** Each showed a mistake once, of the core or of the model. */
const FOUND_SEEDS = [
  149, 4212492751, 110, 305, 5307, 5679, 10238, 951598, 952149, 1101050, 1101534, 1200543, 1201979, 1212857,
  1222406, 1300191, 1603634,
];
const FIXED_SEEDS = [...Array.from({ length: 100 }, (_, index) => index + 1), ...FOUND_SEEDS];

const run = async (seeds: readonly number[]) => {
  const counts: Record<string, number> = {};
  const violations: string[] = [];
  await runSeeds({
    file: await bundle(),
    seeds,
    onReport: ({ seed, violation, counts: counted }) => {
      addCounts(counts, { ...counted, seeds: 1 });
      if (violation) violations.push(`${violation}; replay: npm run simulate -- --seed ${seed} --trace`);
    },
  });
  return { counts, violations };
};

describe("the simulation", () => {
  test(
    "whatever fails, each accepted operation is applied once, in order and on the right profile",
    async () => {
      const { counts, violations } = await run(FIXED_SEEDS);
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
});
