import { resolve } from "node:path";
import { build } from "vite";
import {
  CONTRACT_FLOOR,
  DURABLE_FLOOR,
  FLOOR,
  JOURNAL_FLOOR,
  NOTHING,
  OURS,
  PEERS,
  SENT_FLOOR,
  SHARED_FLOOR,
  STORED_FLOOR,
} from "./subjects.js";

/** The folder of the built sites, with one folder for each. */
export const SITES = resolve(".cache/bench/sites");

const buildSite = async (entry: string): Promise<void> => {
  await build({
    root: resolve("bench/sites"),
    base: `/${entry}/`,
    configFile: false,
    logLevel: "error",
    resolve: { alias: { "people-tracking-sdk": resolve("dist/index.js") } },
    worker: { format: "es" },
    build: {
      outDir: resolve(SITES, entry),
      emptyOutDir: true,
      modulePreload: false,
      target: "es2022",
      rolldownOptions: {
        input: resolve("bench/sites", `${entry}.ts`),
        output: {
          entryFileNames: "entry.js",
          // A separate chunk for Vite's own code around dynamic imports, so that it counts for no tracker.
          codeSplitting: { groups: [{ name: "vite-preload", test: /vite\/preload-helper/ }] },
        },
      },
    },
  });
};

let built: Promise<void> | undefined;

/** Builds each subject as a site would for production, once for each run. */
export const buildSites = (): Promise<void> => {
  built ??= (async () => {
    const floors = [
      NOTHING,
      FLOOR,
      SHARED_FLOOR,
      DURABLE_FLOOR,
      JOURNAL_FLOOR,
      CONTRACT_FLOOR,
      STORED_FLOOR,
      SENT_FLOOR,
    ];
    const subjects = [...floors, OURS, ...PEERS];
    for (const entry of ["page", "count-in-worker", ...subjects.map(({ site }) => site)])
      await buildSite(entry);
  })();
  return built;
};
