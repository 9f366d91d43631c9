import { setTimeout } from "node:timers/promises";
import type { Wire } from "../site/collector.js";
import type { BareBrowser } from "./bare-browser.js";

/** What a browser spent on some work, until all of it had been worked off. */
export interface Cost extends Wire {
  tookMs: number;
  cpuMs: number;
  mainThreadBusyMs: number;
  delivered: number;
  lastArrivalMs: number;
}

export interface Workload {
  /** In the report. */
  setting: string;
  events: number;
  /** What the page evaluates: it tracks them all. */
  expression: string;
  /** After the last call. Trackers that take longer are not waited for. */
  patienceMs: number;
}

/** The work begins when what `init()` began is worked off, and ends when the browser is calm after the last arrival. */
export const costOf = async (
  browser: BareBrowser,
  { expression, patienceMs }: Workload,
  expected: number,
): Promise<Cost> => {
  const { collector } = browser;
  const busyBefore = await browser.busyMs();
  const wireBefore = collector.wire;
  const cpuBefore = browser.cpuMs;
  const startedAt = performance.now();
  await browser.evaluate(expression);
  await collector.arrived(expected, patienceMs);
  await browser.calm();
  const cpuMs = browser.cpuMs - cpuBefore;
  const { requests, bytesUp, bytesDown } = collector.wire;
  return {
    tookMs: performance.now() - startedAt,
    cpuMs,
    mainThreadBusyMs: (await browser.busyMs()) - busyBefore,
    delivered: collector.counts.delivered,
    lastArrivalMs: collector.lastArrivalAt - startedAt,
    requests: requests - wireBefore.requests,
    bytesUp: bytesUp - wireBefore.bytesUp,
    bytesDown: bytesDown - wireBefore.bytesDown,
  };
};

const IDLE_MS = 10_000;

/** What a page without a tracker costs that does the same. */
export class Baseline {
  readonly #cost: Cost;
  readonly #idleCpuPerMs: number;

  static async of(browser: BareBrowser, workload: Workload): Promise<Baseline> {
    const cost = await costOf(browser, workload, 0);
    const cpuBefore = browser.cpuMs;
    await setTimeout(IDLE_MS);
    return new Baseline(cost, (browser.cpuMs - cpuBefore) / IDLE_MS);
  }

  private constructor(cost: Cost, idleCpuPerMs: number) {
    this.#cost = cost;
    this.#idleCpuPerMs = idleCpuPerMs;
  }

  get cost(): Cost {
    return this.#cost;
  }

  /** The CPU beyond that of this page, had it been open for as long. */
  cpuMsAbove({ cpuMs, tookMs }: Cost): number {
    return cpuMs - this.#cost.cpuMs - this.#idleCpuPerMs * (tookMs - this.#cost.tookMs);
  }
}
