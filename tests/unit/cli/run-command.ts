import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Environment } from "../../../src/cli/command.js";
import { run } from "../../../src/cli/run.js";

/** A new folder, deleted after the test. */
export const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "people-tracking-cli-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

export interface Ran {
  code: number;
  output: string;
  /** Each element is one printed error. */
  errors: string[];
}

/** Runs the command in a process that is only pretended. Nothing listens anywhere, unless `fetch` is given. */
export const runCommand = async (
  args: readonly string[],
  environment: Partial<Environment> = {},
): Promise<Ran> => {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await run(
    args,
    {
      print: (text) => output.push(text),
      cwd: "/nowhere",
      variables: {},
      fetch: () => Promise.reject(new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } })),
      distFolder: "/nowhere",
      ...environment,
    },
    (line) => errors.push(line),
  );
  return { code, output: output.join("\n"), errors };
};
