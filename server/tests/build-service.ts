import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the service as it is built from these very sources. */
    dist: string;
  }
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Builds the service for the tests that run it as a process of its own. */
export default async function buildService(project: TestProject): Promise<() => void> {
  // Beside the real one, since the migrations are found from there.
  const dist = mkdtempSync(join(root, "dist-"));
  await build({ configFile: join(root, "vite.config.ts"), logLevel: "silent", build: { outDir: dist } });
  project.provide("dist", dist);
  return () => rmSync(dist, { recursive: true, force: true });
}
