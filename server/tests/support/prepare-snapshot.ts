import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import type { TestProject } from "vitest/node";
import { migrationsFolder } from "../../src/database/database.js";

declare module "vitest" {
  interface ProvidedContext {
    /** A tar file of a PGlite folder, migrated and empty. */
    snapshotPath: string;
  }
}

/** Creates one migrated PGlite for the run, because `initdb` takes seconds. Every other starts as its copy, in all projects. */
export default async function prepareSnapshot({ vitest }: TestProject): Promise<(() => void) | undefined> {
  const run = vitest.getRootProject();
  if (run.getProvidedContext().snapshotPath) return undefined;
  const client = await PGlite.create();
  await migrate(drizzle({ client }), { migrationsFolder });
  const dump = await client.dumpDataDir("none");
  await client.close();
  const folder = mkdtempSync(join(tmpdir(), "people-snapshot-"));
  const path = join(folder, "snapshot.tar");
  writeFileSync(path, Buffer.from(await dump.arrayBuffer()));
  run.provide("snapshotPath", path);
  return () => rmSync(folder, { recursive: true, force: true });
}
