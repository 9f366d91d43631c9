import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { Visit } from "../browser/visit.js";
import type { Bar, Row, Section } from "../section.js";
import { SITES } from "../site/build-sites.js";
import type { LoadedFile } from "../site/collector.js";
import { OURS, PEERS } from "../site/subjects.js";
import { readable } from "../report/number.js";
import { figure } from "../statistics.js";
import { Rows } from "./rows.js";

const BEFORE = "main thread, before init() resolves";
const LATER = "main thread, later";
const WORKER = "worker";
const LIMIT = 6_000;
/** What the benchmark's page itself loads, and what a site has with or without a tracker. */
const isOwn = ({ path }: LoadedFile): boolean => path.startsWith("/page/") || path.includes("vite-preload");

const sizeOf = async (files: readonly LoadedFile[]): Promise<{ brotli: number; minified: number }> => {
  let brotli = 0;
  let minified = 0;
  for (const path of new Set(files.map((file) => file.path))) {
    const content = await readFile(join(SITES, path));
    minified += content.length;
    brotli += brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  }
  return { brotli, minified };
};

/** Runs in the page. */
const pathsAfterInit = (): string[] => {
  const [usable] = performance.getEntriesByName("bench:usable");
  return performance
    .getEntriesByType("resource")
    .filter(({ startTime }) => startTime > usable!.startTime)
    .map(({ name }) => new URL(name).pathname);
};

const measure: Section["measure"] = async ({ steps, step }) => {
  const rows = new Rows();
  steps(1 + PEERS.length);
  for (const subject of [OURS, ...PEERS]) {
    step(subject.label);
    await Visit.with(subject, async ({ collector, openTab }) => {
      const page = await openTab();
      await page.evaluate(() => window.bench.init());
      await page.evaluate(() => window.bench.burst(0, 10));
      await collector.arrived(10, 2_000);
      // By the page's clock: what it loads right after init() may reach the collector before this process can ask.
      const late = new Set(await page.evaluate(pathsAfterInit));
      const loaded = collector.loaded.filter((file) => !isOwn(file));
      const scripts = loaded.filter(({ destination }) => destination === "script");
      const parts = {
        [BEFORE]: scripts.filter(({ path }) => !late.has(path)),
        [LATER]: scripts.filter(({ path }) => late.has(path)),
        [WORKER]: loaded.filter(({ destination }) => destination.endsWith("worker")),
      };
      for (const [part, files] of Object.entries(parts)) {
        const { brotli, minified } = await sizeOf(files);
        if (part !== BEFORE && !brotli) continue;
        rows.add(subject.label, "", `${part}, Brotli`, "bytes", brotli);
        rows.add(subject.label, "", `${part}, minified`, "bytes", minified);
      }
    });
  }
  return rows.all;
};

const bars = (rows: readonly Row[]): Bar[] => {
  const bytes = figure(rows, { subject: OURS.label, metric: `${BEFORE}, Brotli` });
  return [
    {
      bar: `main thread, Brotli, before \`init()\` resolves: ≤ ${readable(LIMIT, "bytes")}`,
      measured: readable(bytes, "bytes"),
      met: bytes <= LIMIT,
    },
  ];
};

export const sizes: Section = {
  name: "size",
  title: "Size",
  notes: `The files that a browser loads of a site's production build by Vite. The site does nothing else. Its few lines of glue
(about 0.1 KB) count; Vite's own helper for dynamic imports (about 0.6 KB, once for each site) does not. *Later* is what
the page loads between the end of \`init()\` and the arrival of ten events. Brotli has quality 11, and a KB is 1,000 bytes.
Peers are measured without session replay and autocapture if their packages allow that.`,
  charts: [
    {
      name: "size",
      title: "Loaded on the main thread before init() resolves (Brotli)",
      metric: `${BEFORE}, Brotli`,
      limit: LIMIT,
    },
  ],
  measure,
  bars,
};
