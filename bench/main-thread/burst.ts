import { Visit } from "../browser/visit.js";
import { busy, cpuOf, longest, within } from "../browser/trace.js";
import { readable } from "../report/number.js";
import type { Bar, Context, Row, Section } from "../section.js";
import {
  CONTRACT_FLOOR,
  FLOOR,
  JOURNALING,
  JOURNAL_FLOOR,
  OURS,
  PEERS,
  SHARED_FLOOR,
} from "../site/subjects.js";
import type { Measured } from "../site/subjects.js";
import { figure } from "../statistics.js";
import { Rows } from "./rows.js";

const COUNT = 1_000;
const LOOP = "loop and microtasks";
const BUSY = "main thread busy until delivered";
const LONGEST = "longest task";
const UNTHROTTLED = "1×";
const THROTTLED = "4×";
/** The time after which the measurement stops waiting for events. */
const ARRIVAL_TIMEOUT_MS = { [UNTHROTTLED]: 10_000, [THROTTLED]: 5_000 };
/** Subjects that send nothing to the collector. */
const FLOORS: readonly Measured[] = [FLOOR, SHARED_FLOOR, JOURNAL_FLOOR, CONTRACT_FLOOR];
const RATES = { [UNTHROTTLED]: 1, [THROTTLED]: 4 };

const measureOne = (subject: Measured, setting: keyof typeof RATES, rows: Rows): Promise<void> =>
  Visit.with(subject, async (visit) => {
    const page = await visit.openTab();
    await page.evaluate(() => window.bench.init());
    // Wait until the background work of init() is over, because it is no part of the burst.
    await page.waitForTimeout(1_000);
    await visit.throttle(page, RATES[setting]);
    const add = (metric: string, unit: Row["unit"], value: number): void =>
      rows.add(subject.label, setting, metric, unit, value);

    const requests = (): number => visit.collector.requests.get(subject.site) ?? 0;
    const requestsBefore = requests();
    const cpuBefore = await visit.cpuSeconds();
    let cpuAfter = Number.NaN;
    const startedAt = performance.now();
    const trace = await visit.traced(async () => {
      await page.evaluate((count) => window.bench.burst(0, count), COUNT);
      await visit.delivered(page, FLOORS.includes(subject) ? 0 : COUNT, ARRIVAL_TIMEOUT_MS[setting]);
      cpuAfter = await visit.cpuSeconds();
    });

    const start = trace.mark("burst");
    const tasks = trace.tasks(start);
    const meanwhile = within(tasks, start.at, trace.endOf("end"));
    const loop = trace.restOfTask(start, tasks);
    add(LOOP, "ms", loop.took);
    add("CPU of the loop", "ms", loop.cpu);
    add(LONGEST, "ms", longest(meanwhile));
    add(BUSY, "ms", busy(meanwhile));
    add("CPU of the busy time", "ms", cpuOf(meanwhile));
    add("whole browser's CPU", "ms", (cpuAfter - cpuBefore) * 1_000);
    if (FLOORS.includes(subject)) return;
    const { delivered, duplicated } = visit.collector.counts;
    if (delivered) add("last arrival", "ms", visit.collector.lastArrivalAt - startedAt);
    add("delivered", "count", delivered);
    add("not delivered", "count", COUNT - delivered);
    add("duplicated", "count", duplicated);
    add("requests", "count", requests() - requestsBefore);
  });

const measure = async ({ runs, quick, steps, step }: Context): Promise<Row[]> => {
  const rows = new Rows();
  const subjects = [...FLOORS, OURS, JOURNALING, ...PEERS];
  const settings = quick ? ([UNTHROTTLED] as const) : ([UNTHROTTLED, THROTTLED] as const);
  steps(runs * subjects.length * settings.length);
  for (let run = 1; run <= runs; run++) {
    for (const setting of settings) {
      for (const subject of subjects) {
        step(`${subject.label}, ${setting}, run ${run}`);
        await measureOne(subject, setting, rows);
      }
    }
  }
  return rows.all;
};

const ms = (value: number): string => readable(value, "ms");

const bars = (rows: readonly Row[]): Bar[] => {
  const of = (subject: Measured, metric: string, setting = UNTHROTTLED): number =>
    figure(rows, { subject: subject.label, setting, metric });
  const floor = of(FLOOR, LOOP);
  /** @param besides - a floor that also does what this subject must do */
  const judge = (subject: Measured, besides: Measured): Bar => {
    const loop = of(subject, LOOP);
    const { label } = besides;
    return {
      bar: `1,000 calls, loop and microtasks (${subject.label}): ≤ 2 × the floor`,
      measured: `${ms(loop)}, the floor ${ms(floor)}: ${(loop / floor).toFixed(1)} ×; ${label.replace("floor: ", "")} ${ms(of(besides, LOOP))}`,
      met: loop <= 2 * floor,
    };
  };
  const judged = [judge(OURS, CONTRACT_FLOOR), judge(JOURNALING, JOURNAL_FLOOR)];

  const task = of(OURS, LONGEST, THROTTLED);
  if (Number.isFinite(task)) {
    judged.push({ bar: "no task over 50 ms, CPU throttled 4×", measured: ms(task), met: task <= 50 });
  }

  // A peer that loses events cannot be the best, however fast it is.
  const whole = PEERS.filter((peer) => of(peer, "delivered") === COUNT);
  const best = whole.toSorted((a, b) => of(a, BUSY) - of(b, BUSY))[0];
  if (best) {
    const ours = of(OURS, BUSY);
    const theirs = of(best, BUSY);
    judged.push({
      bar: "1,000 calls, main thread busy until delivered: ≤ 1/5 of the best peer",
      measured: `${ms(ours)}, ${best.label} ${ms(theirs)}: 1/${(theirs / ours).toFixed(1)}`,
      met: ours <= theirs / 5,
    });
  }
  return judged;
};

export const burst: Section = {
  name: "burst",
  title: "1,000 calls in one loop",
  notes: `- *Loop and microtasks* is measured from the first call to the end of its task, including its microtasks. Each event has
  300 bytes of JSON.
- *Busy* is the sum of the main thread's tasks from then until all events have arrived at the collector, for at most 10 s
  (5 s at 4×), plus 0.2 s. An event that has not arrived by then counts as *not delivered*, whether it is lost or late.
- *CPU* is what the thread computed in that time. For the rest of the time it waited, or other processes used its core.
- *Journaling* is the tracker on engines without \`extendedLifetime\`, where each batch is also written to localStorage when it
  is sent.
- *4×* throttles the CPU of the page's main thread, and not that of workers.

The floors are the least that a tracker could cost. *One postMessage* hands the same events to a worker and sends nothing.
*Shared worker* hands them to the worker that serves every tab, which costs more. *One setItem* adds what a write-ahead
journal must write, for as many events as the journal of a page may hold. *A copy and a promise each* adds what the
interface promises for each call.

The tracker costs more than the first floor for these reasons. Each call copies and checks its arguments, reads the page's
URL and title, notes a number and a time, and makes a promise. A microtask writes all commands as one JSON text and posts it.
All of this code runs for the first time, so the engine interprets the loop until it has compiled it. A task of its own for
writing and posting would take part of that out of the loop. But it would lose what is tracked in the task in which a page
closes itself, because no event announces that in time.`,
  charts: [
    { name: "burst-loop", title: "1,000 calls: the loop and its microtasks", metric: LOOP, log: true },
    {
      name: "burst-busy",
      title: "1,000 calls: main thread busy until all are delivered",
      metric: BUSY,
      log: true,
    },
  ],
  measure,
  bars,
};
