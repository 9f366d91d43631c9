import { setTimeout } from "node:timers/promises";
import { Rows } from "../main-thread/rows.js";
import { readable } from "../report/number.js";
import type { Bar, Context, Row, Section } from "../section.js";
import { FARO, NOTHING, OURS, PEERS, STORED_FLOOR } from "../site/subjects.js";
import { figure, median } from "../statistics.js";
import { BareBrowser } from "./bare-browser.js";
import type { Memory } from "./process-group.js";

const ABOVE = "at the end, above the page without a tracker";
const GROWTH = "growth of that since the first look";
/** A garbage collection does not free the same each time. */
const READINGS = 3;
const LIMIT_MB = 2;
const MINUTE = 60_000;
const MB = 1_000_000;

/** Of each browser: the median of some readings, each after a garbage collection. */
const look = async (browsers: readonly BareBrowser[]): Promise<Memory[]> => {
  const readings: Memory[][] = browsers.map(() => []);
  for (let reading = 0; reading < READINGS; reading++) {
    for (const [index, browser] of browsers.entries()) {
      await browser.collectGarbage();
      readings[index]!.push(browser.memory);
    }
  }
  return readings.map((of) => ({
    all: median(of.map(({ all }) => all)),
    own: median(of.map(({ own }) => own)),
  }));
};

/** All at once, and once whatever the number of runs: memory is noisy by the megabyte, not by what else runs. */
const measure = async ({ quick, minutes, steps, step }: Context): Promise<Row[]> => {
  const rows = new Rows();
  const firstLook = minutes / 5;
  const setting = `one event a second for ${minutes} minutes, looked at after ${firstLook} and ${minutes}`;
  const subjects = [NOTHING, STORED_FLOOR, OURS, ...(quick ? [FARO] : PEERS)];
  steps(3);
  step("starts the browsers");
  await BareBrowser.withAll(subjects, async (browsers) => {
    await Promise.all(browsers.map((browser) => browser.start()));
    const startedAt = performance.now();
    const until = (minute: number): Promise<void> =>
      setTimeout(startedAt + minute * MINUTE - performance.now());
    const seconds = Math.round(minutes * 60);
    // A look takes its time: they end by themselves soon after the last.
    const streams = browsers.map(async (browser, index) => {
      await setTimeout((1_000 * index) / browsers.length);
      await browser.evaluate(`bench.stream(0, ${seconds + 30}, 1_000)`);
    });
    step(`until minute ${firstLook}`);
    await until(firstLook);
    const first = await look(browsers);
    step(`until minute ${minutes}`);
    await until(minutes);
    const last = await look(browsers);
    await Promise.all(streams);

    subjects.forEach(({ label }, index) => {
      rows.add(label, setting, "all processes, at the end", "MB", last[index]!.all / MB);
      if (index === 0) return;
      const above = (at: Memory[]): number => (at[index]!.own - at[0]!.own) / MB;
      rows.add(label, setting, ABOVE, "MB", above(last));
      rows.add(label, setting, GROWTH, "MB", above(last) - above(first));
    });
  });
  return rows.all;
};

const bars = (rows: readonly Row[]): Bar[] => {
  const of = (subject: string, metric: string): string => readable(figure(rows, { subject, metric }), "MB");
  const { label } = OURS;
  return [
    {
      bar: `memory with one event a second: no growth (≤ ${LIMIT_MB} MB)`,
      measured: `${of(label, GROWTH)}, Grafana Faro ${of(FARO.label, GROWTH)}; at the end ${of(label, ABOVE)} above the page's own, the floor ${of(STORED_FLOOR.label, ABOVE)}`,
      met: figure(rows, { subject: label, metric: GROWTH }) <= LIMIT_MB,
    },
  ];
};

export const memory: Section = {
  name: "device-memory",
  title: "The whole device: memory",
  notes: `Linux only; \`--minutes\` sets how long. One browser a tracker, with a new profile on disk, all open at the same time, each with one event a second. *All processes* is the proportional set size of all of a browser's processes, summed: what processes share is divided among them. *Above the page without a tracker* and *growth* leave out what is mapped from files, which is the browser's own program, and whose share depends on how many browsers happen to run it. Before each reading the garbage of the page and of every worker is collected by the debugging protocol; each look is the median of ${READINGS} readings. *Growth* is from the first look to the last, beyond that of the page without a tracker.`,
  charts: [
    { name: "device-memory", title: "Memory of the whole browser, above the page's own", metric: ABOVE },
  ],
  measure,
  bars,
};
