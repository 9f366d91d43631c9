/** Measures the rates into and out of the outbox with few and many waiting rows, beside the same work with the browser alone. */
import { rm } from "node:fs/promises";
import type { Page } from "playwright";
import type { Bar, Context, Row, Section, Unit } from "../section.js";
import { figure } from "../statistics.js";
import type { Collector } from "./collector.js";
import { arrivalRate, startCollector } from "./collector.js";
import { browse, filledProfile, openPage } from "./filled-profile.js";
import { workerHeap } from "./worker-heap.js";

declare global {
  interface Window {
    outbox: {
      start(key: string): Promise<void>;
      track(groups: number, size: number): Promise<number>;
      takeStateUpdates(): number;
      storedRow(): Promise<unknown>;
      fill(count: number): Promise<void>;
      bytesOnDisk(): Promise<number>;
      texts: string[];
    };
    floor(question: { task: "store" | "send"; [field: string]: unknown }): Promise<number | null>;
  }
}

const OURS = "people-tracking-sdk";
const FLOOR = "floor: IndexedDB and fetch alone";
const INTO = "into the outbox";
const OUT = "out of the outbox";
const HEAP = "worker's heap";
const BUSY = "page busy meanwhile";
const UPDATES = "state updates";
const WIRE = "on the wire, an event";
const DISK = "on disk, an event";

const GROUP = 1_000;
const BATCH = 500;

const settingOf = (waiting: number): string =>
  waiting ? `${waiting.toLocaleString("en")} waiting` : "none waiting";

class Figures {
  readonly rows: Row[] = [];

  add(subject: string, waiting: number, metric: string, unit: Unit, value: number): void {
    const setting = settingOf(waiting);
    const same = this.rows.find(
      (row) => row.subject === subject && row.setting === setting && row.metric === metric,
    );
    if (same) same.values.push(value);
    else this.rows.push({ subject, setting, metric, unit, values: [value] });
  }
}

const until = async (holds: () => boolean): Promise<void> => {
  const limit = performance.now() + 180_000;
  while (!holds()) {
    if (performance.now() > limit) throw new Error("what was tracked did not arrive");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

const busySeconds = async (page: Page): Promise<number> => {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  await session.detach();
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? NaN;
};

const measureWith = async (
  context: Context,
  collector: Collector,
  waiting: number,
  figures: Figures,
): Promise<void> => {
  const { runs, quick } = context;
  const groups = quick ? 5 : 10;
  const events = groups * GROUP;
  const profile = await filledProfile(collector, waiting);
  const browser = await browse(profile);
  try {
    const page = await openPage(browser, collector);
    const row = await page.evaluate(() => window.outbox.storedRow());
    if (waiting >= 100_000) {
      const bytes = await page.evaluate(() => window.outbox.bytesOnDisk());
      figures.add(OURS, waiting, DISK, "bytes", bytes / waiting);
    }
    for (let run = 1; run <= runs; run++) {
      context.step(`${settingOf(waiting)}, run ${run}`);
      const add = (subject: string, metric: string, unit: Unit, value: number) =>
        figures.add(subject, waiting, metric, unit, value);

      collector.reset(false);
      await page.evaluate((key) => window.outbox.start(key), `later-${run}`);
      await page.evaluate(() => window.outbox.track(1, 100));
      const floorStored = await page.evaluate(
        (task) => window.floor({ ...task, texts: window.outbox.texts }),
        { task: "store", row, groups, size: GROUP } as const,
      );
      add(FLOOR, INTO, "per second", (1_000 * events) / (floorStored ?? NaN));
      const stored = await page.evaluate(([count, size]) => window.outbox.track(count, size), [
        groups,
        GROUP,
      ] as const);
      add(OURS, INTO, "per second", (1_000 * events) / stored);
      add(OURS, HEAP, "MB", await workerHeap(browser));

      collector.reset(true);
      await page.evaluate((size) => window.floor({ task: "send", size }), BATCH);
      add(FLOOR, OUT, "per second", arrivalRate(collector.arrived));
      add(FLOOR, WIRE, "bytes", collector.arrived.bytes / collector.arrived.operations);

      collector.reset(true);
      await page.evaluate((key) => window.outbox.start(key), `now-${run}`);
      await until(() => collector.arrived.batches.length >= 2);
      await page.evaluate(() => window.outbox.takeStateUpdates());
      const [busyBefore, begin] = [await busySeconds(page), performance.now()];
      await until(() => collector.arrived.operations >= events);
      const seconds = (performance.now() - begin) / 1_000;
      const updates = await page.evaluate(() => window.outbox.takeStateUpdates());
      add(OURS, BUSY, "%", (100 * ((await busySeconds(page)) - busyBefore)) / seconds);
      add(OURS, UPDATES, "per second", updates);
      add(OURS, OUT, "per second", arrivalRate(collector.arrived));
      add(OURS, WIRE, "bytes", collector.arrived.bytes / collector.arrived.operations);
    }
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
};

const percent = (share: number): string => `${Math.round(100 * share)}%`;
/** The tracker's rate as a share of the floor's in the same run, because other load on the machine affects both. */
const share = (rows: readonly Row[], metric: string, waiting: number): number => {
  const setting = settingOf(waiting);
  return figure(rows, { subject: OURS, setting, metric }) / figure(rows, { subject: FLOOR, setting, metric });
};

const bars = (rows: readonly Row[]): Bar[] => {
  const floorBar = (metric: string): Bar => {
    const reached = share(rows, metric, 0);
    return { bar: `${metric} ≥ 60% of the floor`, measured: percent(reached), met: reached >= 0.6 };
  };
  const most = Math.max(
    ...[100_000, 1_000_000].filter((count) => rows.some(({ setting }) => setting === settingOf(count))),
  );
  const steady = (metric: string): Bar => {
    const kept = share(rows, metric, most) / share(rows, metric, 0);
    const bar = `${metric} with ${settingOf(most)}: within 25% of the rate with none`;
    return { bar, measured: percent(kept), met: kept >= 0.75 };
  };
  const heapWith = (waiting: number): number =>
    figure(rows, { subject: OURS, setting: settingOf(waiting), metric: HEAP });
  const more = heapWith(most) - heapWith(0);
  const updates = Math.max(
    ...rows.filter(({ metric }) => metric === UPDATES).flatMap(({ values }) => values),
  );
  return [
    floorBar(INTO),
    floorBar(OUT),
    ...(most > 0
      ? [
          steady(INTO),
          steady(OUT),
          {
            bar: `worker's heap with ${settingOf(most)}: ≤ 30 MB more`,
            measured: `${Math.max(0, more).toFixed(1)} MB more`,
            met: more <= 30,
          },
        ]
      : []),
    {
      bar: "while the outbox drains, state updates: at most ten a second",
      measured: `${updates.toFixed(1)} a second`,
      met: updates <= 10.5,
    },
  ];
};

export const outbox: Section = {
  name: "outbox",
  title: "Into the outbox and out of it",
  notes: `- *Into the outbox*: a page makes groups of ${GROUP} calls of about 300 bytes each, the next group when the one before is
  on disk.
- *Out of the outbox*: batches of ${BATCH}, timed by their arrival at a collector that only responds.
- *The floor* does the same in a SharedWorker with rows at hand and nothing else: no page, no validation, no session, no
  compression, no lease.

Both take turns in one browser. The targets compare shares of the floor, because rates alone depend on how busy the machine
is. The waiting rows are stored before the measurement. State updates are counted from the first that the page receives to
the last; in so short a time, one more or less makes a difference.`,
  charts: [
    { name: "outbox-into", title: "Events a second into the outbox, on disk", metric: INTO },
    { name: "outbox-out", title: "Events a second out of the outbox", metric: OUT },
  ],
  async measure(context) {
    const counts = context.quick ? [0, 1_000, 100_000] : [0, 1_000, 100_000, 1_000_000];
    context.steps(counts.length * context.runs);
    const collector = await startCollector();
    const figures = new Figures();
    try {
      for (const waiting of counts) await measureWith(context, collector, waiting, figures);
    } finally {
      collector.close();
    }
    return figures.rows;
  },
  bars,
};
