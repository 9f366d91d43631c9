import { Visit } from "../browser/visit.js";
import { busy, cpuOf, within } from "../browser/trace.js";
import { readable } from "../report/number.js";
import type { Bar, Context, Row, Section } from "../section.js";
import { FLOOR, NOTHING, OURS, PEERS, SHARED_FLOOR } from "../site/subjects.js";
import type { Measured } from "../site/subjects.js";
import { figure, quantile } from "../statistics.js";
import { Rows } from "./rows.js";

const COUNT = 200;
const GAP_MS = 20;
const P95 = "one call, p95";
const CLOCK_P95 = "by the page's clock, p95";
/** The time for the last events to arrive, after the last call. */
const ARRIVAL_TIMEOUT_MS = 6_000;
const LIMIT_MS = 0.1;
/** Subjects that send nothing to the collector. */
const FLOORS: readonly Measured[] = [NOTHING, FLOOR, SHARED_FLOOR];

const measureOne = (subject: Measured, rows: Rows): Promise<void> =>
  Visit.with(subject, async (visit) => {
    const page = await visit.openTab();
    await page.evaluate(() => window.bench.init());
    await page.waitForTimeout(1_000);
    const isFloor = FLOORS.includes(subject);
    const call = (first: number): Promise<number[]> =>
      page.evaluate(([from, count, gap]) => window.bench.paced(from, count, gap), [
        first,
        COUNT,
        GAP_MS,
      ] as const);
    const byClock = await call(0);
    await visit.collector.arrived(isFloor ? 0 : COUNT, ARRIVAL_TIMEOUT_MS);
    const trace = await visit.traced(async () => {
      await call(COUNT);
      await visit.delivered(page, isFloor ? 0 : 2 * COUNT, ARRIVAL_TIMEOUT_MS);
    });
    const calls = trace.marks("call");
    const first = trace.mark("call");
    const tasks = trace.tasks(first);
    const rests = calls
      .map((mark) => trace.restOfTask(mark, tasks))
      .filter(({ took }) => Number.isFinite(took));
    const times = rests.map(({ took }) => took);
    const meanwhile = within(tasks, first.at, trace.endOf("end"));
    rows.add(subject.label, "", "one call, p50", "ms", quantile(times, 0.5));
    rows.add(subject.label, "", P95, "ms", quantile(times, 0.95));
    rows.add(subject.label, "", "one call, max", "ms", Math.max(...times));
    rows.add(subject.label, "", "by the page's clock, p50", "ms", quantile(byClock, 0.5));
    rows.add(subject.label, "", CLOCK_P95, "ms", quantile(byClock, 0.95));
    rows.add(
      subject.label,
      "",
      "CPU of one call, p50",
      "ms",
      quantile(
        rests.map(({ cpu }) => cpu),
        0.5,
      ),
    );
    rows.add(subject.label, "", "main thread busy", "ms", busy(meanwhile));
    rows.add(subject.label, "", "CPU of the busy time", "ms", cpuOf(meanwhile));
    if (!isFloor) rows.add(subject.label, "", "delivered of 400", "count", visit.collector.counts.delivered);
  });

const measure = async ({ runs, steps, step }: Context): Promise<Row[]> => {
  const rows = new Rows();
  const subjects = [...FLOORS, OURS, ...PEERS];
  steps(runs * subjects.length);
  for (let run = 1; run <= runs; run++) {
    for (const subject of subjects) {
      step(`${subject.label}, run ${run}`);
      await measureOne(subject, rows);
    }
  }
  return rows.all;
};

const bars = (rows: readonly Row[]): Bar[] => {
  const of = (subject: Measured, metric: string): string =>
    readable(figure(rows, { subject: subject.label, metric }), "ms");
  const byTrace = `${of(OURS, P95)}; nothing at all ${of(NOTHING, P95)}, one postMessage ${of(SHARED_FLOOR, P95)}`;
  return [
    {
      bar: "one call, paced: p95 on the main thread ≤ 0.1 ms",
      measured: `${of(OURS, CLOCK_P95)} by the page's clock, one postMessage ${of(SHARED_FLOOR, CLOCK_P95)}; by the trace ${byTrace}`,
      met: figure(rows, { subject: OURS.label, metric: CLOCK_P95 }) <= LIMIT_MS,
    },
  ];
};

export const paced: Section = {
  name: "paced",
  title: "200 calls, 20 ms apart",
  notes: `First, 200 calls are measured by the page's clock, without a trace: the call and the microtasks that it starts. Then 200
calls are measured by the trace, from before each call to the end of its task.

*Nothing at all* is what a task costs that only marks its beginning: after 20 ms of rest all code and all data are cold, and
tracing has a cost of its own. *One postMessage* of the event is the least that a tracker off the main thread can cost. To a
shared worker it costs more than to a dedicated one, because the browser serves its port from another thread. *Busy* is the
sum of the main thread's tasks from the first call until all events have arrived, for at most 6 s after the last call.`,
  charts: [
    { name: "paced", title: "One call of 200, 20 ms apart: p95", metric: P95, log: true, limit: LIMIT_MS },
  ],
  measure,
  bars,
};
