/** It bites: what the simulation lets pass unharmed, it catches once the core makes a small mistake. */
import { expect, test } from "vitest";
import { bundle } from "../bundle.js";
import { runSeeds } from "../pool.js";
import { MUTATIONS } from "./mutations.js";

const LIMIT_MS = 240_000;
const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1);
/** With which seed each mutation was caught. */
const caughtBy = new Map<string, number>();

test.each(MUTATIONS)(
  "catches: $name",
  async (mutation) => {
    const file = await bundle(mutation);
    await runSeeds({
      file,
      seeds: SEEDS,
      onReport: ({ seed, violation }) => {
        if (violation) caughtBy.set(mutation.name, seed);
        return violation !== null;
      },
    });
    expect(caughtBy.get(mutation.name)).toBeDefined();
  },
  LIMIT_MS,
);
