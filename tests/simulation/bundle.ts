/** Bundles the simulator for worker threads, with one mutation of the core where one is asked for. */
import { resolve } from "node:path";
import { rolldown } from "rolldown";
import type { Mutation } from "./mutations/mutations.js";

/** @returns The bundle's file; run it from the project's root. */
export const bundle = async (mutation?: Mutation): Promise<string> => {
  const name = mutation?.name.replaceAll(/\W+/g, "-") ?? "simulator";
  const file = resolve(`.cache/simulation/${name}.mjs`);
  const build = await rolldown({
    input: resolve("tests/simulation/worker.ts"),
    platform: "node",
    logLevel: "silent",
    plugins: mutation ? [mutating(mutation)] : [],
  });
  await build.write({ file });
  await build.close();
  return file;
};

const mutating = ({ name, file, original, replacement }: Mutation) => {
  const path = resolve("src/core", file);
  let isApplied = false;
  return {
    name: "mutation",
    transform: (code: string, id: string): string | null => {
      if (id !== path) return null;
      if (code.split(original).length !== 2) {
        throw new Error(`The mutation "${name}" finds its original in ${file} not exactly once.`);
      }
      isApplied = true;
      return code.replace(original, () => replacement);
    },
    buildEnd: (error?: Error): void => {
      if (!isApplied && !error) throw new Error(`The mutation "${name}" names ${file}, which is not in use.`);
    },
  };
};
