/** A worker that runs the core: it can be killed, frozen and closed, and its script can fail to start. */
import type { TimedInit } from "../../src/core/commands/page-clock.js";
import type { ChangeSignal, Hold, Ports, SendLock } from "../../src/core/ports.js";
import { lockOnDisk } from "../../src/core/failover/lock-on-disk.js";
import { Tracker } from "../../src/core/tracker.js";
import { API_KEY } from "../support/people-service.js";
import { Actor } from "./actor.js";
import type { Browser } from "./browser.js";
import { SimulatedTransport } from "./network.js";
import { HostStore } from "./host-store.js";

const SERVICE = { host: "shared", endpoint: "https://people.test", apiKey: API_KEY } as const;

/** What a page is told as it attaches. */
export type Attachment = Awaited<ReturnType<Tracker["attach"]>>;

export class SimulatedHost extends Actor {
  readonly browser: Browser;
  /** Of the site's worker. */
  readonly version: number;
  /** Tabs that are attached; without one a worker ends. */
  readonly tabs = new Set<object>();
  readonly store: HostStore;
  readonly #answers: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();
  #started: Promise<Tracker> | null = null;
  #tracker: Tracker | null = null;

  constructor(browser: Browser, name: string, version: number) {
    super(browser.world.scheduler, name);
    this.browser = browser;
    this.version = version;
    this.store = new HostStore(this, browser.store, () => this.#retire());
  }

  /** The tracker, started with the first page. A start that failed is tried again by the next one. */
  tracker(): Promise<Tracker> {
    return (this.#started ??= this.#start());
  }

  async attach(request?: TimedInit): Promise<Attachment> {
    const tracker = await this.tracker();
    return tracker.attach({ ...SERVICE, globalPrivacyControl: this.browser.sendsPrivacyControl }, request);
  }

  async #start(): Promise<Tracker> {
    const tracker = new Tracker(this.#ports(), this.name, () => undefined);
    this.#tracker = tracker;
    try {
      await tracker.start();
      return tracker;
    } catch (error) {
      tracker.close();
      this.#started = null;
      throw error;
    }
  }

  /** Nothing of it ever goes on; the browser gives its lock back. */
  kill(how: string): void {
    if (!this.isAlive) return;
    this.browser.world.chronicle.fault(this.name, `host: ${how}`);
    this.end();
  }

  end(): void {
    if (!this.isAlive) return;
    this.die();
    this.browser.ledger.memoryEnded(this, "died");
    if (this.browser.lockHolder?.host === this) this.browser.lockHolder = null;
  }

  /** The browser stops it for a while, with all that it holds. */
  freezeFor(ms: number): void {
    const { browser } = this;
    browser.world.chronicle.fault(this.name, "host: frozen");
    browser.excuse();
    this.freeze();
    this.scheduler.after(ms, () => {
      // What it meant to do when it froze, it does now.
      browser.excuse();
      this.thaw();
    });
  }

  hearOfChange(): void {
    for (const listener of this.#listeners) this.after(this.scheduler.upTo(20), listener);
  }

  /** The store's answers come in their order. */
  hear(answer: () => void): void {
    this.#answers.push(answer);
    this.after(0, () => this.#answers.shift()?.());
  }

  #retire(): void {
    this.#tracker?.close();
    this.browser.ledger.memoryEnded(this, "retired");
    this.end();
    this.browser.retired(this);
  }

  #ports(): Ports {
    const { browser, scheduler } = this;
    return {
      clock: { now: () => browser.wallClock() },
      timers: { after: (delayMs, callback) => this.after(delayMs, callback) },
      ids: { uuid: () => browser.world.uuid(), sessionId: () => browser.world.uuid().slice(-12) },
      random: () => scheduler.random(),
      store: this.store,
      transport: new SimulatedTransport(this),
      lock: lockOnDisk(this.store, this.#lock()),
      changes: this.#changes(),
    };
  }

  #changes(): ChangeSignal {
    return {
      announce: () => {
        for (const other of this.browser.hosts) if (other !== this) other.hearOfChange();
      },
      listen: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  #lock(): SendLock {
    const { browser } = this;
    const { plan, chronicle } = browser.world;
    const isWithout = plan.locks === "none" || (plan.locks === "some" && this.scheduler.chance(0.5));
    if (isWithout) return { exclusive: false, tryHold: async () => ({ release: () => undefined }) };
    const take = (steal: boolean): Hold | null => {
      if (browser.lockHolder && !steal) return null;
      if (browser.lockHolder) {
        chronicle.fault(
          this.name,
          `lock: stolen from ${browser.lockHolder.host.isFrozen ? "a frozen" : "a slow"} host`,
        );
        browser.excuse();
      }
      const hold = { host: this };
      browser.lockHolder = hold;
      return {
        release: () => {
          if (browser.lockHolder === hold) browser.lockHolder = null;
        },
      };
    };
    return {
      exclusive: true,
      tryHold: (options) =>
        new Promise((resolve) => void this.after(1, () => resolve(take(options?.steal === true)))),
    };
  }
}
