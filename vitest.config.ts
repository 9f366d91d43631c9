import { defineConfig } from "vitest/config";

/** On a busy machine: generous, since what is waited for is observed, never timed. */
const TIMEOUT_MS = 120_000;

const project = (name: string) => ({ name, include: [`tests/${name}/**/*.test.ts`] });
/** Suites that start browsers take their turn: side by side they would measure each other. */
const inTurn = {
  environment: "node",
  globalSetup: ["tests/ensure-chromium.ts", "server/tests/support/prepare-snapshot.ts"],
  pool: "forks",
  fileParallelism: false,
  testTimeout: TIMEOUT_MS,
  hookTimeout: TIMEOUT_MS,
} as const;

/**
 * What pages do, once more on pages whose libraries patch everything, with the host that runs among them. Left out is what
 * only concerns the machine (lost links, killed browsers and workers, full disks, backlogs), which no page script reaches.
 */
const HOSTILE = [
  "specification",
  "pages",
  "client-side-views",
  "profiles",
  "consent",
  "time",
  "delivery",
  "page-end",
  "tabs",
];

export default defineConfig({
  test: {
    reporters: ["default", "./tests/summary-reporter.ts"],
    projects: [
      {
        test: { ...project("unit"), setupFiles: "tests/support/fast-check-seed.ts", testTimeout: TIMEOUT_MS },
      },
      { test: { ...project("contract"), testTimeout: TIMEOUT_MS } },
      { test: project("simulation") },
      "server/vitest.config.ts",
      { test: { ...project("browser"), ...inTurn } },
      {
        test: {
          name: "hostile",
          include: HOSTILE.map((file) => `tests/browser/${file}.test.ts`),
          ...inTurn,
          provide: { hostilePage: true },
        },
      },
      { test: { ...project("playground"), ...inTurn } },
      { test: { ...project("engines"), ...inTurn } },
      { test: { ...project("package"), ...inTurn } },
    ],
  },
});
