/** A fresh browser with an empty profile, and a collector of its own, for one measurement. */
import { setTimeout } from "node:timers/promises";
import type { Browser, BrowserContext, CDPSession, Page } from "playwright";
import { chromium } from "playwright";
import { CHROMIUM_ARGS, chromiumPath } from "../../tests/chromium.js";
import { buildSites } from "../site/build-sites.js";
import { Collector } from "../site/collector.js";
import type { Measured } from "../site/subjects.js";
import type { Trace } from "./trace.js";
import { readTrace } from "./trace.js";

/** Time for the browser to process the responses to the last events. */
const AFTERMATH_MS = 200;

/** Some trackers take a headless browser for a bot and send nothing. */
export const USER_AGENT =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

export class Visit {
  readonly collector: Collector;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly #measured: Measured;

  /** Runs `work` in a fresh browser. */
  static async with<Result>(measured: Measured, work: (visit: Visit) => Promise<Result>): Promise<Result> {
    await buildSites();
    const collector = await Collector.start();
    const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
    try {
      return await work(await Visit.#in(browser, collector, measured));
    } finally {
      await browser.close();
      await collector.close();
    }
  }

  static async #in(browser: Browser, collector: Collector, measured: Measured): Promise<Visit> {
    const context = await browser.newContext({ userAgent: USER_AGENT });
    if (measured.journals) {
      // By this property the tracker recognises an engine that ends a shared worker with its last tab.
      await context.addInitScript(() => Object.defineProperty(navigator, "vendor", { value: "" }));
    }
    return new Visit(measured, collector, browser, context);
  }

  private constructor(measured: Measured, collector: Collector, browser: Browser, context: BrowserContext) {
    this.#measured = measured;
    this.collector = collector;
    this.browser = browser;
    this.context = context;
  }

  /** Another tracker in the same browser, with a profile of its own. */
  beside(measured: Measured): Promise<Visit> {
    return Visit.#in(this.browser, this.collector, measured);
  }

  /** A tab with the tracker's script loaded and not yet started. */
  readonly openTab = async (): Promise<Page> => {
    const page = await this.context.newPage();
    await page.goto(`${this.collector.origin}/visit/${this.#measured.site}`);
    await page.waitForFunction(() => window.subject && window.bench);
    return page;
  };

  /**
   * Waits for the events at the collector without disturbing the page, and marks the end. Events that have not arrived by
   * then count as not delivered. A page that is too busy to set the mark is left in the middle of its work.
   */
  async delivered(page: Page, count: number, timeoutMs: number): Promise<void> {
    await this.collector.arrived(count, timeoutMs);
    await setTimeout(AFTERMATH_MS);
    const marked = page.evaluate(() => window.bench.mark("end"));
    // It fails when the browser is closed before.
    marked.catch(() => {});
    await Promise.race([marked, setTimeout(1_000)]);
  }

  /** @returns the trace of that time */
  async traced(work: () => Promise<void>, categories = ["toplevel", "blink.user_timing"]): Promise<Trace> {
    await this.browser.startTracing(undefined, { categories });
    let buffer: Buffer;
    try {
      await work();
    } finally {
      buffer = await this.browser.stopTracing();
    }
    return readTrace(buffer);
  }

  /** Seconds of CPU that all of the browser's processes have used so far. */
  async cpuSeconds(): Promise<number> {
    const session = await this.browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  }

  async throttle(page: Page, rate: number): Promise<CDPSession> {
    const session = await this.context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate });
    return session;
  }
}
