/** It bites: what the simulation lets pass unharmed, it catches once the core makes a small mistake. */
import { describe, expect, test } from "vitest";
import { bundle } from "../bundle.js";
import { runSeeds } from "../pool.js";
import type { Mutation } from "./mutations.js";
import { MUTATIONS } from "./mutations.js";

const LIMIT_MS = 240_000;
const SEEDS_AT_MOST = 600;

/** The seeds up to the first ones (threads finish in any order) that come upon a violation, and those that do. */
const runUntilViolation = async (limit: number, mutation?: Mutation) => {
  let seeds = 0;
  const violations: string[] = [];
  await runSeeds({
    file: await bundle(mutation),
    seeds: Array.from({ length: limit }, (_, index) => index + 1),
    onReport: ({ seed, violation }) => {
      seeds = Math.max(seeds, seed);
      if (violation) violations.push(`seed ${seed}: ${violation}`);
      return violation !== null;
    },
  });
  return { seeds, violations };
};

/** The most seeds that a mutation took. */
let seedsNeeded = 1;

describe("mutations of the core", () => {
  test.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
    "a seed catches: %s",
    async (name, mutation) => {
      const { seeds, violations } = await runUntilViolation(SEEDS_AT_MOST, mutation);
      console.log(`${name}: ${violations[0] ?? "not caught"}`);
      expect(violations).not.toEqual([]);
      seedsNeeded = Math.max(seedsNeeded, seeds);
    },
    LIMIT_MS,
  );

  test(
    "the core without a mutation passes the seeds that caught one",
    async () => expect((await runUntilViolation(seedsNeeded)).violations).toEqual([]),
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
