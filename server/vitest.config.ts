import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "server",
    root: import.meta.dirname,
    include: ["tests/**/*.test.ts"],
    globalSetup: [
      "tests/support/start-postgres.ts",
      "tests/support/prepare-snapshot.ts",
      "tests/support/build-service.ts",
    ],
    setupFiles: "../tests/support/fast-check-seed.ts",
    // A database is made for each file and driver; on a busy machine that alone can take seconds.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
