import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Visit } from "../browser/visit.js";
import type { Context, Row, Section } from "../section.js";
import { SITES } from "../site/build-sites.js";
import { OURS } from "../site/subjects.js";
import type { WorkerCounts } from "../sites/count-in-worker.js";
import { Rows } from "./rows.js";

const COUNT = 1_000;

/** Runs in the page: requests the counts from the worker. */
const askWorker = (): Promise<WorkerCounts> =>
  new Promise((resolve) => {
    const channel = new BroadcastChannel("benchmark-counts");
    channel.addEventListener("message", ({ data }: MessageEvent<WorkerCounts>) => {
      channel.close();
      resolve(data);
    });
    channel.postMessage("how many?");
  });

const measure = async ({ steps, step }: Context): Promise<Row[]> => {
  const rows = new Rows();
  steps(1);
  step(OURS.label);
  await Visit.with(OURS, async ({ collector, context, openTab }) => {
    const script = await readFile(join(SITES, "count-in-worker/entry.js"), "utf8");
    // In a function, because the worker's script may use the same names.
    collector.beforeWorkers = `(() => {${script}})();\n`;
    await context.addInitScript(() => {
      const { prototype } = MessagePort;
      const original = Reflect.get(prototype, "postMessage") as (...args: unknown[]) => void;
      window.posted = 0;
      prototype.postMessage = function (this: MessagePort, ...args: unknown[]) {
        window.posted++;
        original.apply(this, args);
      };
    });
    const page = await openTab();
    await page.evaluate(() => window.bench.init());
    await page.waitForTimeout(1_000);

    const bytesBefore = collector.bytes;
    const postedBefore = await page.evaluate(() => window.posted);
    const before = await page.evaluate(askWorker);
    await page.evaluate((count) => window.bench.burst(0, count), COUNT);
    await collector.arrived(COUNT, 30_000);
    await page.waitForTimeout(1_000);
    const after = await page.evaluate(askWorker);
    const posted = await page.evaluate(() => window.posted);

    const add = (metric: string, value: number): void => rows.add(OURS.label, "", metric, "count", value);
    add("messages to the worker", posted - postedBefore);
    add("messages to the page", after.messages - before.messages);
    add("transactions", after.transactions - before.transactions);
    add("rows written", after.rowsWritten - before.rowsWritten);
    add("rows read", after.rowsRead - before.rowsRead);
    add("requests", after.requests - before.requests);
    rows.add(OURS.label, "", "bytes an event on the wire", "bytes", (collector.bytes - bytesBefore) / COUNT);
  });
  return rows.all;
};

declare global {
  interface Window {
    posted: number;
  }
}

export const counts: Section = {
  name: "counts",
  title: "What 1,000 calls in one loop cost, counted",
  notes: `Counts, not times: they are the same on every machine, except for how the worker happens to group its commits.`,
  measure,
};
