import type { Page } from "playwright";
import { Visit } from "../browser/visit.js";
import { BareBrowser } from "../device/bare-browser.js";
import { busy, longest, within } from "../browser/trace.js";
import { readable } from "../report/number.js";
import type { Bar, Context, Row, Section } from "../section.js";
import { DURABLE_FLOOR, OURS, PEERS, SHARED_FLOOR } from "../site/subjects.js";
import type { Measured } from "../site/subjects.js";
import { figure } from "../statistics.js";
import { Rows } from "./rows.js";

const USABLE = "init() to usable";
const BLOCKED = "main thread blocked";
const FIRST = "first tab";
const FIFTH = "fifth tab";
/** As a visitor comes: nothing is traced, and the database is on disk, which it is not where a library makes a context. */
const NEW_PROFILE = "first tab, new profile on disk, no trace";
const BLOCKED_LIMIT_MS = 5;

const initIn = async (
  visit: Visit,
  page: Page,
  setting: string,
  label: string,
  rows: Rows,
): Promise<void> => {
  // Wait until the page has loaded, because that is no part of the tracker's start.
  await page.waitForTimeout(300);
  let took = Number.NaN;
  const trace = await visit.traced(async () => {
    took = await page.evaluate(() => window.bench.init());
  });
  const from = trace.mark("init");
  const meanwhile = within(trace.tasks(from), from.at, trace.mark("usable").at);
  rows.add(label, setting, USABLE, "ms", took);
  rows.add(label, setting, BLOCKED, "ms", busy(meanwhile));
  rows.add(label, setting, "longest task", "ms", longest(meanwhile));
};

const measureOne = (subject: Measured, rows: Rows): Promise<void> =>
  Visit.with(subject, async (visit) => {
    await initIn(visit, await visit.openTab(), FIRST, subject.label, rows);
    for (let tab = 2; tab < 5; tab++) {
      const page = await visit.openTab();
      await page.evaluate(() => window.bench.init());
    }
    await initIn(visit, await visit.openTab(), FIFTH, subject.label, rows);
  });

const measureNewProfile = (subject: Measured, rows: Rows): Promise<void> =>
  BareBrowser.with(subject, async (browser) => {
    // The browser's own start is not the tracker's.
    await browser.calm();
    rows.add(subject.label, NEW_PROFILE, USABLE, "ms", await browser.init());
  });

const measure = async ({ runs, steps, step }: Context): Promise<Row[]> => {
  const rows = new Rows();
  const floorsAndOurs = [SHARED_FLOOR, DURABLE_FLOOR, OURS];
  const subjects = [...floorsAndOurs, ...PEERS];
  steps(runs * (subjects.length + floorsAndOurs.length));
  for (let run = 1; run <= runs; run++) {
    for (const subject of subjects) {
      step(`${subject.label}, run ${run}`);
      await measureOne(subject, rows);
    }
    for (const subject of floorsAndOurs) {
      step(`${subject.label}, ${NEW_PROFILE}, run ${run}`);
      await measureNewProfile(subject, rows);
    }
  }
  return rows.all;
};

const bars = (rows: readonly Row[]): Bar[] => {
  const of = (subject: Measured, setting: string, metric: string): number =>
    figure(rows, { subject: subject.label, setting, metric });
  const best = PEERS.toSorted((a, b) => of(a, FIRST, USABLE) - of(b, FIRST, USABLE))[0];
  const usable = of(OURS, FIFTH, USABLE);
  const theirs = best ? of(best, FIRST, USABLE) : Number.NaN;
  const blocked = of(OURS, FIFTH, BLOCKED);
  const first = of(OURS, NEW_PROFILE, USABLE);
  const floor = of(DURABLE_FLOOR, NEW_PROFILE, USABLE);
  const firstTab: Bar = {
    bar: "`init()` on the first tab of a new profile: ≤ 2 × a shared worker with one transaction",
    measured: `${readable(first, "ms")}, the floor ${readable(floor, "ms")}: ${(first / floor).toFixed(1)} ×; without a transaction ${readable(of(SHARED_FLOOR, NEW_PROFILE, USABLE), "ms")}`,
    met: first <= 2 * floor,
  };
  return [
    // Results of before a new profile was measured do not have it.
    ...(Number.isNaN(first) ? [] : [firstTab]),
    {
      bar: "`init()` on the fifth tab: ≤ 1/2 of the best peer's first tab",
      measured: `${readable(usable, "ms")}, ${best?.label} ${readable(theirs, "ms")}; the floor ${readable(of(SHARED_FLOOR, FIFTH, USABLE), "ms")}, with one transaction ${readable(of(DURABLE_FLOOR, FIFTH, USABLE), "ms")}`,
      met: usable <= theirs / 2,
    },
    {
      bar: "`init()` on the fifth tab: main thread blocked ≤ 5 ms",
      measured: `${readable(blocked, "ms")}; the floor ${readable(of(SHARED_FLOOR, FIFTH, BLOCKED), "ms")}`,
      met: blocked <= BLOCKED_LIMIT_MS,
    },
  ];
};

export const start: Section = {
  name: "start",
  title: "init() to usable",
  notes: `The time from the call of \`init()\` until the tracker reports that it takes events, by a promise or a callback. Datadog RUM,
Grafana Faro and Snowplow start within the call. When our \`init()\` resolves, the worker runs, the database is open, and on
the first tab the visitor is stored. *Blocked* is the sum of the main thread's tasks in that time.

The first floor opens a shared worker of a few lines and waits for its first message. The second floor also waits until that
worker has stored a row in one transaction, as every start must that has its page view on disk at the end.

A fifth tab waits once: it posts its first message as it opens the port, and the worker responds after one transaction that
stores the page view. Most of the blocked time is the task of the call itself, whose code runs for the first time. That code
is compiled with the script, not when it is called (\`tests/browser/costs.test.ts\` counts the functions). The longest single
steps are the construction of the worker, its Trusted Types policy, the first URL, the first message and the listeners.
*A new profile on disk* is a browser of its own, driven by the bare debugging protocol, not traced, and idle before the call.
The contexts of the other rows keep their databases in memory.

localStorage is not used before \`init()\` has resolved.`,
  charts: [
    { name: "start", title: "init() to usable", metric: USABLE, log: true },
    {
      name: "start-blocked",
      title: "init(): main thread blocked, fifth tab",
      metric: BLOCKED,
      setting: FIFTH,
      log: true,
      limit: BLOCKED_LIMIT_MS,
    },
  ],
  measure,
  bars,
};
