/** It bites: what the simulation lets pass unharmed, it catches once the core makes a small mistake. */
import { describe, expect, test } from "vitest";
import { bundle } from "../bundle.js";
import { runSeeds } from "../pool.js";
import type { Mutation } from "./mutations.js";
import { MUTATIONS } from "./mutations.js";

const LIMIT_MS = 240_000;
const SEEDS_AT_MOST = 600;

/** Runs seeds until one comes upon a violation; threads finish in any order, so that it may be two. */
const runUntilViolation = async (seeds: Iterable<number>, mutation?: Mutation) => {
  const violations: { seed: number; violation: string }[] = [];
  await runSeeds({
    file: await bundle(mutation),
    seeds,
    onReport: ({ seed, violation }) => {
      if (violation) violations.push({ seed, violation });
      return violation !== null;
    },
  });
  return violations;
};

const SEEDS = Array.from({ length: SEEDS_AT_MOST }, (_, index) => index + 1);
const catchingSeeds = new Set<number>();

describe("mutations of the core", () => {
  test.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
    "a seed catches: %s",
    async (name, mutation) => {
      const violations = await runUntilViolation(SEEDS, mutation);
      for (const { seed, violation } of violations) {
        catchingSeeds.add(seed);
        console.log(`${name}: seed ${seed}: ${violation}`);
      }
      expect(violations).not.toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "the core without a mutation passes the seeds that caught one",
    async () => expect(await runUntilViolation(catchingSeeds)).toEqual([]),
    LIMIT_MS,
  );

  test("a mutation whose original is no longer there fails with its file's name", async () => {
    const outdated = {
      name: "outdated",
      file: "delivery/lease.ts",
      original: "no such code",
      replacement: "",
    };
    await expect(bundle(outdated)).rejects.toThrow(
      "finds its original in delivery/lease.ts not exactly once",
    );
  });
});
