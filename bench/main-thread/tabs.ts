import type { Page } from "playwright";
import type { Trace } from "../browser/trace.js";
import { cpuOf } from "../browser/trace.js";
import { Visit } from "../browser/visit.js";
import type { Context, Row, Section } from "../section.js";
import { OURS } from "../site/subjects.js";
import { quantile } from "../statistics.js";
import { Rows } from "./rows.js";

/** The total of all tabs. */
const BURST = 2_000;
const PACED = { count: 20, gapMs: 100 };
const ARRIVAL_TIMEOUT_MS = 20_000;
const THROUGHPUT = "stored";

const workerCpu = (trace: Trace): number =>
  trace.threads("SharedWorker").reduce((sum, thread) => sum + cpuOf(trace.tasks(thread)), 0);

/** Lets all tabs track at the same time. @returns the times from the calls to their outcomes */
const trackInAll = async (tabs: Page[], first: number, count: number, gapMs: number): Promise<number[]> => {
  const times = await Promise.all(
    tabs.map((tab, index) =>
      tab.evaluate(([from, each, gap]) => window.bench.settled(from, each, gap), [
        first + index * count,
        count,
        gapMs,
      ] as const),
    ),
  );
  return times.flat();
};

const measureOne = (count: number, rows: Rows): Promise<void> =>
  Visit.with(OURS, async (visit) => {
    const tabs: Page[] = [];
    while (tabs.length < count) {
      const tab = await visit.openTab();
      await tab.evaluate(() => window.bench.init());
      tabs.push(tab);
    }
    const setting = count === 1 ? "1 tab" : `${count} tabs`;
    const add = (metric: string, unit: Row["unit"], value: number): void =>
      rows.add(OURS.label, setting, metric, unit, value);

    const pacedCount = PACED.count * count;
    let latencies: number[] = [];
    const paced = await visit.traced(async () => {
      latencies = await trackInAll(tabs, 0, PACED.count, PACED.gapMs);
      await visit.collector.arrived(pacedCount, ARRIVAL_TIMEOUT_MS);
    }, ["toplevel"]);
    add("10 calls a second each: call to stored, p50", "ms", quantile(latencies, 0.5));
    add("p95", "ms", quantile(latencies, 0.95));
    add("worker's CPU an event", "µs", (workerCpu(paced) * 1_000) / pacedCount);

    const each = BURST / count;
    let storedMs = Number.NaN;
    let deliveredMs = Number.NaN;
    const burst = await visit.traced(async () => {
      const startedAt = performance.now();
      await trackInAll(tabs, pacedCount, each, 0);
      storedMs = performance.now() - startedAt;
      await visit.collector.arrived(pacedCount + BURST, ARRIVAL_TIMEOUT_MS);
      deliveredMs = visit.collector.lastArrivalAt - startedAt;
    }, ["toplevel"]);
    add(`2,000 at once: ${THROUGHPUT}`, "per second", (BURST / storedMs) * 1_000);
    add("delivered", "per second", (BURST / deliveredMs) * 1_000);
    add("worker's CPU an event, at once", "µs", (workerCpu(burst) * 1_000) / BURST);
    add("lost", "count", pacedCount + BURST - visit.collector.counts.delivered);
  });

const measure = async ({ runs, quick, steps, step }: Context): Promise<Row[]> => {
  const rows = new Rows();
  const counts = quick ? [1, 5, 20] : [1, 5, 20, 50];
  steps(runs * counts.length);
  for (let run = 1; run <= runs; run++) {
    for (const count of counts) {
      step(`${count} at once, run ${run}`);
      await measureOne(count, rows);
    }
  }
  return rows.all;
};

export const tabs: Section = {
  name: "tabs",
  title: "Tabs that track at the same time",
  notes: `All tabs run in one browser and therefore share one worker. First, each tab tracks 20 events, one every 100 ms. Then all tabs
together track 2,000 events, each tab its share in one loop. An event is *stored* when its call has resolved: it is then on disk. The tabs'
main threads, the worker, the browser and the collector share the machine's cores.`,
  measure,
};
