import { setTimeout } from "node:timers/promises";
import type { Page } from "playwright";
import { Visit } from "../browser/visit.js";
import type { Bar, Context, Row, Section } from "../section.js";
import { OURS, PEERS } from "../site/subjects.js";
import { figure } from "../statistics.js";
import { Rows } from "./rows.js";

const EVENTS = 10;
/** The time for every tracker to send its events and become idle. */
const CALM_MS = 15_000;
const TIMERS = "timers fired on the page";
const SCRIPTS = "calls of script on the page";
const WORKER = "calls of script in the worker";
const REQUESTS = "requests";

/** Measures all trackers at once, each in its own profile: this section only counts, so they cannot disturb each other. */
const measure = async ({ quick, steps, step }: Context): Promise<Row[]> => {
  const rows = new Rows();
  const seconds = quick ? 10 : 20;
  const subjects = [OURS, ...PEERS];
  const setting = `in ${seconds} s`;
  steps(subjects.length + 2);
  await Visit.with(OURS, async (first) => {
    const pages: Page[] = [];
    for (const subject of subjects) {
      step(`opens ${subject.label}`);
      const page = await (await first.beside(subject)).openTab();
      await page.evaluate(() => window.bench.init());
      await page.evaluate((count) => window.bench.burst(0, count), EVENTS);
      pages.push(page);
    }
    step("waits until all are calm");
    await setTimeout(CALM_MS);

    step(`counts for ${seconds} s`);
    const requestsBefore = new Map(first.collector.requests);
    let requestsAfter = requestsBefore;
    const markAll = (name: string): Promise<unknown> =>
      Promise.all(
        pages.map((page, index) => page.evaluate((mark) => window.bench.mark(mark), `${name}-${index}`)),
      );
    const trace = await first.traced(async () => {
      await markAll("idle");
      await setTimeout(seconds * 1_000);
      await markAll("end");
      requestsAfter = new Map(first.collector.requests);
      // Track once more, so that the check below sees script in a worker.
      await pages[0]?.evaluate((count) => window.bench.burst(count, 1), EVENTS);
      await first.collector.arrived(EVENTS + 1, CALM_MS);
    }, ["devtools.timeline", "blink.user_timing"]);

    const workers = trace.threads("SharedWorker");
    if (!workers.some((thread) => trace.count("FunctionCall", thread))) {
      throw new Error("The trace does not show what runs in workers");
    }
    subjects.forEach(({ label, site }, index) => {
      const from = trace.mark(`idle-${index}`);
      const to = trace.mark(`end-${index}`);
      const requests = (requestsAfter.get(site) ?? 0) - (requestsBefore.get(site) ?? 0);
      rows.add(label, setting, TIMERS, "count", trace.count("TimerFire", from, from.at, to.at));
      // Without the first and the last mark, which are calls of script themselves.
      const calls = trace.count("FunctionCall", from, from.at + 5, to.at - 5);
      rows.add(label, setting, SCRIPTS, "count", calls);
      if (site === OURS.site) {
        const inWorkers = workers.map((thread) => trace.count("FunctionCall", thread, from.at, to.at));
        rows.add(
          label,
          setting,
          WORKER,
          "count",
          inWorkers.reduce((a, b) => a + b, 0),
        );
      }
      rows.add(label, setting, REQUESTS, "count", requests);
    });
  });
  return rows.all;
};

const bars = (rows: readonly Row[]): Bar[] => {
  const of = (metric: string): number => figure(rows, { subject: OURS.label, metric });
  const counts = [TIMERS, SCRIPTS, WORKER, REQUESTS].map((metric) => ({ metric, count: of(metric) }));
  return [
    {
      bar: "an idle tab costs nothing: no timers on the page, no polling in the worker",
      measured: counts.map(({ metric, count }) => `${count} ${metric}`).join(", "),
      met: counts.every(({ count }) => count === 0),
    },
  ];
};

export const idle: Section = {
  name: "idle",
  title: "An idle tab",
  notes: `Each tracker tracks ten events. ${CALM_MS / 1_000} s later, everything that still runs is counted, once, with all trackers in the same browser.`,
  measure,
  bars,
};
