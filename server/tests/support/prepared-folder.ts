import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { inject, onTestFinished } from "vitest";

/** A PGlite folder that is migrated and empty, deleted after the test. */
export async function preparedFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "people-data-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // The names in the archive start with a slash, which every tar strips.
  await promisify(execFile)("tar", ["-xf", inject("snapshotPath"), "-C", folder]);
  return folder;
}
