/**
 * A browser of its own with a new profile on disk, and one page in it. It is driven without a library: those have every page
 * report each of its requests, which costs the CPU that is measured here. Nothing is enabled but what is asked for.
 */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { CHROMIUM_ARGS, chromiumPath } from "../../tests/chromium.js";
import { USER_AGENT } from "../browser/visit.js";
import { buildSites } from "../site/build-sites.js";
import { Collector } from "../site/collector.js";
import type { Measured } from "../site/subjects.js";
import { DebuggingPipe } from "./debugging-pipe.js";
import type { Memory } from "./session-processes.js";
import { cpuMs, memoryOf } from "./session-processes.js";

const ARGS = [
  ...CHROMIUM_ARGS,
  "--headless",
  "--remote-debugging-pipe",
  `--user-agent=${USER_AGENT}`,
  // What the browser does for itself: it is the same for all, and noise.
  "--disable-breakpad",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-extensions",
  "--disable-sync",
  "--mute-audio",
  "--no-default-browser-check",
  "--password-store=basic",
];

/** A browser is calm that used no more than this in two seconds in a row, and requested nothing. */
const CALM_MS_A_SECOND = 20;
const CALM_SECONDS = 2;
/** Some trackers are never calm. */
const CALM_LIMIT_S = 10;

const CLOSING_LIMIT_MS = 5_000;

interface Target {
  targetId: string;
  type: string;
}

export class BareBrowser {
  readonly collector: Collector;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #profile: string;
  readonly #pipe: DebuggingPipe;
  #page = "";

  /** Opens the subject's page, with its script loaded and its tracker not yet started. */
  static async open(subject: Measured): Promise<BareBrowser> {
    await buildSites();
    const collector = await Collector.start();
    const profile = await mkdtemp(join(tmpdir(), "people-tracking-bench-"));
    // It ends by itself when the pipe is closed, as when the benchmark is interrupted.
    const child = spawn(chromiumPath(), [...ARGS, `--user-data-dir=${profile}`, "about:blank"], {
      detached: true,
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    const browser = new BareBrowser(collector, child, profile);
    try {
      await browser.#openPage(subject);
    } catch (error) {
      await browser.close();
      throw error;
    }
    return browser;
  }

  static async with<Result>(
    subject: Measured,
    work: (browser: BareBrowser) => Promise<Result>,
  ): Promise<Result> {
    const browser = await BareBrowser.open(subject);
    try {
      return await work(browser);
    } finally {
      await browser.close();
    }
  }

  /** One for each, all open at the same time. */
  static async withAll(
    subjects: readonly Measured[],
    work: (browsers: BareBrowser[]) => Promise<void>,
  ): Promise<void> {
    const browsers: BareBrowser[] = [];
    try {
      for (const subject of subjects) browsers.push(await BareBrowser.open(subject));
      await work(browsers);
    } finally {
      await Promise.all(browsers.map((browser) => browser.close()));
    }
  }

  private constructor(collector: Collector, child: ChildProcess, profile: string) {
    this.collector = collector;
    this.#process = child;
    this.#ended = new Promise((ended) => child.once("exit", () => ended()));
    this.#profile = profile;
    this.#pipe = new DebuggingPipe(child.stdio[3] as Writable, child.stdio[4] as Readable);
  }

  /** The session that its processes belong to. */
  get #session(): number {
    if (!this.#process.pid) throw new Error("Chromium did not start");
    return this.#process.pid;
  }

  /** Milliseconds of CPU that all of its processes have used so far. */
  get cpuMs(): number {
    return cpuMs(this.#session);
  }

  /** What all of its processes take. */
  get memory(): Memory {
    return memoryOf(this.#session);
  }

  /** @returns what the page's expression, or its promise, comes to */
  async evaluate<Result>(expression: string): Promise<Result> {
    const { result, exceptionDetails } = await this.#pipe.send<{
      result: { value: Result };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, this.#page);
    if (exceptionDetails) {
      throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    }
    return result.value;
  }

  /** Starts the tracker. @returns the milliseconds that it took */
  init(): Promise<number> {
    return this.evaluate("bench.init()");
  }

  /** Starts the tracker, and waits until all that this began is over. */
  async start(): Promise<void> {
    await this.init();
    await this.calm();
  }

  /** Milliseconds that the main thread's tasks have taken since this was first asked for. */
  async busyMs(): Promise<number> {
    await this.#pipe.send("Performance.enable", {}, this.#page);
    const { metrics } = await this.#pipe.send<{ metrics: { name: string; value: number }[] }>(
      "Performance.getMetrics",
      {},
      this.#page,
    );
    return 1_000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN);
  }

  /** Collects the garbage of the page and of every worker. */
  async collectGarbage(): Promise<void> {
    const { targetInfos } = await this.#pipe.send<{ targetInfos: Target[] }>("Target.getTargets");
    for (const { targetId, type } of targetInfos) {
      if (type !== "page" && !type.endsWith("worker")) continue;
      const sessionId = await this.#attach(targetId);
      await this.#pipe.send("HeapProfiler.collectGarbage", {}, sessionId);
      await this.#pipe.send("Target.detachFromTarget", { sessionId });
    }
  }

  /** Waits until nothing that was begun is still worked off. */
  async calm(): Promise<void> {
    let calmSeconds = 0;
    for (let second = 0; second < CALM_LIMIT_S && calmSeconds < CALM_SECONDS; second++) {
      const [cpuBefore, requestsBefore] = [this.cpuMs, this.collector.wire.requests];
      await setTimeout(1_000);
      const isCalm =
        this.cpuMs - cpuBefore <= CALM_MS_A_SECOND && this.collector.wire.requests === requestsBefore;
      calmSeconds = isCalm ? calmSeconds + 1 : 0;
    }
  }

  async close(): Promise<void> {
    this.#pipe.send("Browser.close").catch(() => {});
    const isLate = setTimeout(CLOSING_LIMIT_MS, true, { ref: false });
    if (await Promise.race([this.#ended, isLate])) process.kill(-this.#session, "SIGKILL");
    await this.#ended;
    await this.collector.close();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #openPage(subject: Measured): Promise<void> {
    const { targetInfos } = await this.#pipe.send<{ targetInfos: Target[] }>("Target.getTargets");
    const page = targetInfos.find(({ type }) => type === "page");
    if (!page) throw new Error("Chromium has opened no page");
    this.#page = await this.#attach(page.targetId);
    const url = `${this.collector.origin}/visit/${subject.site}`;
    await this.#pipe.send("Page.navigate", { url }, this.#page);
    await this.evaluate(
      `new Promise((loaded) => {
        const look = () => (window.subject && window.bench ? loaded() : setTimeout(look, 20));
        look();
      })`,
    );
  }

  async #attach(targetId: string): Promise<string> {
    const { sessionId } = await this.#pipe.send<{ sessionId: string }>("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    return sessionId;
  }
}
