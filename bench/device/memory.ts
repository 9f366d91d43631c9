import { setTimeout } from "node:timers/promises";
import { Rows } from "../main-thread/rows.js";
import { readable } from "../report/number.js";
import type { Bar, Context, Row, Section } from "../section.js";
import { FARO, NOTHING, OURS, PEERS, STORED_FLOOR } from "../site/subjects.js";
import { figure, median } from "../statistics.js";
import { BareBrowser } from "./bare-browser.js";
import type { Memory } from "./session-processes.js";

const ABOVE = "memory above the page without a tracker";
const GROWTH = "growth of that";
/** Equally far apart, after a time in which everything has run for the first time; in the end they are judged by thirds. */
const LOOKS = 9;
const THIRD = LOOKS / 3;
const FIRST_LOOK = 1 / 5;
const LIMIT_MB = 2;
const MINUTE = 60_000;
const MB = 1_000_000;

/** What each browser takes after a garbage collection. */
const look = async (browsers: readonly BareBrowser[]): Promise<Memory[]> => {
  const memories: Memory[] = [];
  for (const browser of browsers) {
    await browser.collectGarbage();
    memories.push(browser.memory);
  }
  return memories;
};

/** All at once, and once whatever the number of runs: memory is noisy by the megabyte, not by what else runs. */
const measure = async ({ quick, minutes, steps, step }: Context): Promise<Row[]> => {
  const rows = new Rows();
  const setting = `one event a second for ${minutes} minutes`;
  const subjects = [NOTHING, STORED_FLOOR, OURS, ...(quick ? [FARO] : PEERS)];
  steps(1 + LOOKS);
  step("starts the browsers");
  const looks: Memory[][] = [];
  await BareBrowser.withAll(subjects, async (browsers) => {
    await Promise.all(browsers.map((browser) => browser.start()));
    const startedAt = performance.now();
    const seconds = Math.round(minutes * 60);
    const streams = Promise.all(
      browsers.map(async (browser, index) => {
        await setTimeout((1_000 * index) / browsers.length);
        // A look takes its time: they end by themselves soon after the last.
        await browser.evaluate(`bench.stream(0, ${seconds + 30}, 1_000)`);
      }),
    );
    // They fail when a look has failed, and the browsers are closed.
    streams.catch(() => {});
    for (let place = 0; place < LOOKS; place++) {
      const minute = minutes * (FIRST_LOOK + ((1 - FIRST_LOOK) * place) / (LOOKS - 1));
      step(`until minute ${minute.toFixed(1)}`);
      await setTimeout(startedAt + minute * MINUTE - performance.now());
      looks.push(await look(browsers));
    }
    await streams;
  });

  const [firstThird, lastThird] = [looks.slice(0, THIRD), looks.slice(-THIRD)];
  subjects.forEach(({ label }, index) => {
    const add = (metric: string, bytes: number): void => rows.add(label, setting, metric, "MB", bytes / MB);
    add("all processes", median(lastThird.map((memories) => memories[index]!.all)));
    if (index === 0) return;
    const above = (memories: Memory[]): number => memories[index]!.own - memories[0]!.own;
    add(ABOVE, median(lastThird.map(above)));
    add(GROWTH, Math.min(...lastThird.map(above)) - Math.min(...firstThird.map(above)));
  });
  return rows.all;
};

const bars = (rows: readonly Row[]): Bar[] => {
  const of = (subject: string, metric: string): string => readable(figure(rows, { subject, metric }), "MB");
  const { label } = OURS;
  return [
    {
      bar: `memory with one event a second: no growth (≤ ${LIMIT_MB} MB)`,
      measured: `${of(label, GROWTH)}, Grafana Faro ${of(FARO.label, GROWTH)}; above the page's own ${of(label, ABOVE)}, the floor ${of(STORED_FLOOR.label, ABOVE)}`,
      met: figure(rows, { subject: label, metric: GROWTH }) <= LIMIT_MB,
    },
  ];
};

export const memory: Section = {
  name: "device-memory",
  title: "The whole device: memory",
  notes: `Linux only; \`--minutes\` sets how long. One browser a tracker, with a new profile on disk, all open at the same time, each with one event a second. *All processes* is the proportional set size of all of a browser's processes, summed: what processes share is divided among them. *Memory above the page without a tracker* and *growth* leave out what is mapped from files, which is the browser's own program, and whose share depends on how many browsers happen to run it. It is looked at ${LOOKS} times, from a fifth of the time on (from minute 2 of 10), each time after the garbage of the page and of every worker has been collected by the debugging protocol. The first two columns are medians of the last third of the looks; *growth* is from the least of the first third to the least of the last, because IndexedDB fills a buffer of some megabytes before it writes it out, and begins again.`,
  charts: [
    { name: "device-memory", title: "Memory of the whole browser, above the page's own", metric: ABOVE },
  ],
  measure,
  bars,
};
