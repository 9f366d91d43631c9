import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import type { TestProject } from "vitest/node";
import { packageFolder } from "../../src/package-folder.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the service as it is built from these very sources. */
    dist: string;
  }
}

/** Builds the service for the tests that run it as a process of its own. */
export default async function buildService(project: TestProject): Promise<() => void> {
  // Beside the real one, since the migrations are found from there.
  const dist = mkdtempSync(join(packageFolder, "dist-"));
  await build({
    configFile: join(packageFolder, "vite.config.ts"),
    logLevel: "silent",
    build: { outDir: dist },
  });
  project.provide("dist", dist);
  return () => rmSync(dist, { recursive: true, force: true });
}
