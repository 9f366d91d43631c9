import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** On a busy machine: generous, since what is waited for is observed, never timed. */
const TIMEOUT_MS = 120_000;

const project = (name: string) => ({ name, include: [`tests/${name}/**/*.test.ts`] });
/** For suites that start browsers, and services on copies of the prepared database. */
const withBrowsers = {
  globalSetup: ["tests/ensure-chromium.ts", "server/tests/support/prepare-snapshot.ts"],
  testTimeout: TIMEOUT_MS,
  hookTimeout: TIMEOUT_MS,
} as const;

/**
 * What pages do, once more on pages whose libraries patch everything, with the host that runs among them. Left out is what
 * only concerns the machine (its clock, lost links, killed browsers and workers, full disks, backlogs), which no page script
 * reaches.
 */
const HOSTILE = [
  "specification",
  "pages",
  "client-side-views",
  "profiles",
  "consent",
  "delivery",
  "page-end",
  "tabs",
];

export default defineConfig({
  test: {
    // Two at once even on two cores: files often wait, for browsers, time-outs or a disk, and none of them is timed.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ["default", "./tests/summary-reporter.ts"],
    projects: [
      {
        test: { ...project("unit"), setupFiles: "tests/support/fast-check-seed.ts", testTimeout: TIMEOUT_MS },
      },
      { test: { ...project("contract"), testTimeout: TIMEOUT_MS } },
      { test: project("simulation") },
      "server/vitest.config.ts",
      { test: { ...project("browser"), ...withBrowsers } },
      {
        test: {
          name: "hostile",
          include: HOSTILE.map((file) => `tests/browser/${file}.test.ts`),
          ...withBrowsers,
          provide: { hostilePage: true },
        },
      },
      { test: { ...project("playground"), ...withBrowsers } },
      { test: { ...project("engines"), ...withBrowsers } },
      { test: { ...project("package"), ...withBrowsers } },
    ],
  },
});
