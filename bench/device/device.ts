import { setTimeout } from "node:timers/promises";
import { Rows } from "../main-thread/rows.js";
import { readable } from "../report/number.js";
import type { Bar, Context, Row, Section } from "../section.js";
import type { Measured } from "../site/subjects.js";
import { FARO, NOTHING, OURS, PEERS, SENT_FLOOR, STORED_FLOOR } from "../site/subjects.js";
import { figure } from "../statistics.js";
import { BareBrowser } from "./bare-browser.js";
import type { Cost, Workload } from "./cost.js";
import { Baseline, costOf } from "./cost.js";

const CPU = "whole browser's CPU";
const ABOVE = "CPU above the page without a tracker";
const AN_EVENT = "that, an event";
const REQUESTS = "requests";
const BYTES = "bytes on the wire";
const MISSING = "not delivered";

/** One of the peers sends after 30 s. */
const PATIENCE_MS = 32_000;

const PACED: Workload = {
  setting: "200 events, 20 ms apart",
  events: 200,
  expression: "bench.stream(0, 200, 20)",
  patienceMs: PATIENCE_MS,
};
const SLOW: Workload = {
  setting: "60 events, 1 s apart",
  events: 60,
  expression: "bench.stream(0, 60, 1_000)",
  patienceMs: PATIENCE_MS,
};
const LOOP: Workload = {
  setting: "1,000 calls in one loop",
  events: 1_000,
  expression: "bench.burst(0, 1_000)",
  patienceMs: PATIENCE_MS,
};

/** The floors are those of streams: in a loop, a transaction for each event is not the least that is possible. */
const subjectsOf = (workload: Workload, quick: boolean): Measured[] => [
  ...(workload === LOOP ? [] : [STORED_FLOOR, SENT_FLOOR]),
  OURS,
  ...(quick ? [FARO] : PEERS),
];

const addRows = (
  rows: Rows,
  { label }: Measured,
  { setting, events }: Workload,
  cost: Cost,
  baseline: Baseline,
): void => {
  const add = (metric: string, unit: Row["unit"], value: number): void =>
    rows.add(label, setting, metric, unit, value);
  add(CPU, "ms", cost.cpuMs);
  add("main thread busy", "ms", cost.mainThreadBusyMs);
  if (cost === baseline.cost) return;
  const above = baseline.cpuMsAbove(cost);
  add(ABOVE, "ms", above);
  add(AN_EVENT, "ms", above / events);
  add(REQUESTS, "count", cost.requests);
  add("bytes up", "bytes", cost.bytesUp);
  add("bytes down", "bytes", cost.bytesDown);
  add(BYTES, "bytes", cost.bytesUp + cost.bytesDown);
  if (cost.delivered) add("last arrival", "s", cost.lastArrivalMs / 1_000);
  add(MISSING, "count", events - cost.delivered);
};

/** One browser after another. */
const measureInTurn = async (
  workload: Workload,
  run: number,
  { quick, step }: Context,
  rows: Rows,
): Promise<void> => {
  const stepTo = ({ label }: Measured): void => step(`${workload.setting}, ${label}, run ${run}`);
  stepTo(NOTHING);
  const baseline = await BareBrowser.with(NOTHING, async (browser) => {
    await browser.start();
    return Baseline.of(browser, workload);
  });
  addRows(rows, NOTHING, workload, baseline.cost, baseline);
  for (const subject of subjectsOf(workload, quick)) {
    stepTo(subject);
    const cost = await BareBrowser.with(subject, async (browser) => {
      await browser.start();
      return costOf(browser, workload, workload.events);
    });
    addRows(rows, subject, workload, cost, baseline);
  }
};

/** All browsers at the same time, which are idle most of it: their events take turns within each second. */
const measureTogether = async (
  workload: Workload,
  run: number,
  { quick, step }: Context,
  rows: Rows,
): Promise<void> => {
  step(`${workload.setting}, all at once, run ${run}`);
  const subjects = [NOTHING, ...subjectsOf(workload, quick)];
  await BareBrowser.withAll(subjects, async (browsers) => {
    await Promise.all(browsers.map((browser) => browser.start()));
    const [nothing, ...others] = browsers;
    const turnOf = (place: number): Promise<void> => setTimeout((1_000 * place) / browsers.length);
    const [baseline, ...costs] = await Promise.all([
      Baseline.of(nothing!, workload),
      ...others.map((browser, index) =>
        turnOf(index + 1).then(() => costOf(browser, workload, workload.events)),
      ),
    ]);
    addRows(rows, NOTHING, workload, baseline.cost, baseline);
    costs.forEach((cost, index) => addRows(rows, subjects[index + 1]!, workload, cost, baseline));
  });
};

const measure = async (context: Context): Promise<Row[]> => {
  const { runs, quick, steps } = context;
  const rows = new Rows();
  const inTurn = [PACED, LOOP];
  const stepsOfTurns = inTurn.map((workload) => 1 + subjectsOf(workload, quick).length);
  steps(runs * (1 + stepsOfTurns.reduce((a, b) => a + b, 0)));
  for (let run = 1; run <= runs; run++) {
    for (const workload of inTurn) await measureInTurn(workload, run, context, rows);
    await measureTogether(SLOW, run, context, rows);
  }
  return rows.all;
};

const LIMIT_REQUESTS = 6;
const LIMIT_BYTES = 20_000;

const ms = (value: number): string => readable(value, "ms");
const times = (value: number, other: number): string => `${(value / other).toFixed(1)} ×`;

const bars = (rows: readonly Row[]): Bar[] => {
  const of = (subject: Measured, { setting }: Workload, metric: string): number =>
    figure(rows, { subject: subject.label, setting, metric });
  /** @param most - how many times the other one's figure it may be */
  const atMost = (workload: Workload, metric: string, bar: string, most: number, other: Measured): Bar => {
    const [ours, theirs] = [of(OURS, workload, metric), of(other, workload, metric)];
    return {
      bar: `${workload.setting}, ${bar}`,
      measured: `${ms(ours)}, ${other.label} ${ms(theirs)}: ${times(ours, theirs)}`,
      met: ours <= most * theirs,
    };
  };
  // Who loses events is not the best, however cheap.
  const whole = PEERS.filter((peer) => of(peer, PACED, MISSING) === 0);
  const best = whole.toSorted((a, b) => of(a, PACED, ABOVE) - of(b, PACED, ABOVE))[0];
  const requests = of(OURS, PACED, REQUESTS);
  const bytes = of(OURS, PACED, BYTES);
  return [
    ...(best ? [atMost(PACED, ABOVE, "CPU above the page's own: ≤ the best peer's", 1, best)] : []),
    atMost(PACED, ABOVE, "CPU above the page's own: ≤ 2 × the floor", 2, STORED_FLOOR),
    {
      bar: `${PACED.setting}, requests: ≤ ${LIMIT_REQUESTS}`,
      measured: `${readable(requests, "count")}; the floor ${readable(of(STORED_FLOOR, PACED, REQUESTS), "count")}`,
      met: requests <= LIMIT_REQUESTS,
    },
    {
      bar: `${PACED.setting}, bytes on the wire with headers and answers: ≤ ${readable(LIMIT_BYTES, "bytes")}`,
      measured: `${readable(bytes, "bytes")}; the floor ${readable(of(STORED_FLOOR, PACED, BYTES), "bytes")}`,
      met: bytes <= LIMIT_BYTES,
    },
    atMost(SLOW, AN_EVENT, "CPU an event above the page's own: ≤ 2 × the floor", 2, STORED_FLOOR),
    atMost(LOOP, ABOVE, "CPU above the page's own: ≤ 1.5 × Grafana Faro", 1.5, FARO),
  ];
};

export const device: Section = {
  name: "device",
  title: "The whole device: CPU, requests and bytes",
  notes: `Linux only. Each tracker with its defaults, in a browser of its own with a new profile on disk. *Whole browser's CPU* is the user and system time of all of its processes, those that ended meanwhile included, as \`/proc\` counts it in steps of 10 ms; the browser is driven by the bare debugging protocol, because automation libraries have a page report each of its requests, which costs CPU itself. Each figure begins when \`init()\` has resolved and all that it began is over, and ends when all events have arrived at the collector, at most ${PATIENCE_MS / 1_000} s after the last call, and the browser has been calm for two seconds. A page without a tracker does the same calls of nothing; its CPU, and what it costs to be open for as long, is subtracted: *CPU above the page without a tracker*. *Main thread busy* is the sum of the page's tasks. *Requests* and *bytes* are counted at the collector's sockets, plain HTTP/1.1 on the page's own origin: request lines, headers, bodies and answers of everything that the browser requested, without TLS and TCP. HTTP/2 and HTTP/3 compress the headers that repeat, which favours those who send many requests more than these figures say. The floor posts each event to a shared worker, which stores each in a transaction of its own with relaxed durability, and answers the page; 0.9 s after the first that has not been sent, it sends what is stored as one gzip-compressed request, and deletes it in one transaction: five batches of the 200, and one batch an event where they are 1 s apart. It keeps what it sends in memory, checks nothing, retries nothing, and knows one tab only. *The same, nothing stored* does so without the database: the difference is what the transactions take. The events 1 s apart are tracked in all browsers at the same time, in turns within each second.`,
  charts: [
    {
      name: "device-paced-cpu",
      title: `${PACED.setting}: the whole browser's CPU above the page's own`,
      metric: ABOVE,
      setting: PACED.setting,
    },
    {
      name: "device-paced-bytes",
      title: `${PACED.setting}: bytes on the wire, headers and answers included`,
      metric: BYTES,
      setting: PACED.setting,
      limit: LIMIT_BYTES,
    },
    {
      name: "device-slow-cpu",
      title: `${SLOW.setting}: the whole browser's CPU an event, above the page's own`,
      metric: AN_EVENT,
      setting: SLOW.setting,
    },
    {
      name: "device-loop-cpu",
      title: `${LOOP.setting}: the whole browser's CPU above the page's own`,
      metric: ABOVE,
      setting: LOOP.setting,
    },
  ],
  measure,
  bars,
};
