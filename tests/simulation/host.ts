/** A worker that runs the core: it can be killed, frozen and closed, and its script can fail to start. */
import type { TimedInit } from "../../src/core/commands/page-clock.js";
import type { ChangeSignal, Hold, Ports, SendLock } from "../../src/core/ports.js";
import { lockOnDisk } from "../../src/core/failover/lock-on-disk.js";
import { Tracker } from "../../src/core/tracker.js";
import { API_KEY } from "../support/people-service.js";
import { Actor } from "./actor.js";
import type { Checks } from "./checks.js";
import type { Origin } from "./origin.js";
import type { SharedStore } from "./store.js";
import { SimulatedTransport } from "./network.js";
import { HostStore } from "./host-store.js";

const SERVICE = { host: "shared", endpoint: "https://people.test", apiKey: API_KEY } as const;

/** What a page is told as it attaches. */
export type Attachment = Awaited<ReturnType<Tracker["attach"]>>;

/** What a host finds around it in its browser. */
interface Surroundings {
  origin: Origin;
  checks: Checks;
  store: SharedStore;
  /** All that live, itself among them. */
  hosts: Iterable<SimulatedHost>;
}

export class SimulatedHost extends Actor {
  /** Of the site's worker. */
  readonly version: number;
  /** Tabs that are attached; without one a worker ends. */
  readonly tabs = new Set<object>();
  readonly store: HostStore;
  readonly #around: Surroundings;
  readonly #onRetired: () => void;
  readonly #answers: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();
  #started: Promise<Tracker> | null = null;
  #tracker: Tracker | null = null;

  constructor(name: string, version: number, around: Surroundings, onRetired: () => void) {
    const { origin, checks, store } = around;
    super(origin.environment.scheduler, name);
    this.#around = around;
    this.#onRetired = onRetired;
    this.version = version;
    this.store = new HostStore(this, store, origin, checks, () => this.#retire());
  }

  /** The tracker, started with the first page. A start that failed is tried again by the next one. */
  tracker(): Promise<Tracker> {
    return (this.#started ??= this.#start());
  }

  async attach(request?: TimedInit): Promise<Attachment> {
    const tracker = await this.tracker();
    return tracker.attach(
      { ...SERVICE, globalPrivacyControl: this.#around.origin.sendsPrivacyControl },
      request,
    );
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
    this.#around.origin.environment.chronicle.fault(this.name, `host: ${how}`);
    this.end();
  }

  end(): void {
    if (!this.isAlive) return;
    this.die();
    const { origin, checks } = this.#around;
    checks.outbox.memoryEnded(this, "died");
    if (origin.lockHolder?.host === this) origin.lockHolder = null;
  }

  /** The browser stops it for a while, with all that it holds. */
  freezeFor(ms: number): void {
    const { origin } = this.#around;
    origin.environment.chronicle.fault(this.name, "host: frozen");
    origin.excuse();
    this.freeze();
    this.scheduler.after(ms, () => {
      // What it meant to do when it froze, it does now.
      origin.excuse();
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
    this.#around.checks.outbox.memoryEnded(this, "retired");
    this.end();
    this.#onRetired();
  }

  #ports(): Ports {
    const { scheduler } = this;
    const { origin, checks } = this.#around;
    const { environment } = origin;
    return {
      clock: { now: () => origin.wallClock() },
      timers: { after: (delayMs, callback) => this.after(delayMs, callback) },
      ids: { uuid: () => environment.uuid(), sessionId: () => environment.uuid().slice(-12) },
      random: () => scheduler.random(),
      store: this.store,
      transport: new SimulatedTransport(this, origin, checks),
      lock: lockOnDisk(this.store, this.#lock()),
      changes: this.#changes(),
    };
  }

  #changes(): ChangeSignal {
    return {
      announce: () => {
        for (const other of this.#around.hosts) if (other !== this) other.hearOfChange();
      },
      listen: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  #lock(): SendLock {
    const { origin } = this.#around;
    const { plan, chronicle } = origin.environment;
    const isWithout = plan.locks === "none" || (plan.locks === "some" && this.scheduler.chance(0.5));
    if (isWithout) return { exclusive: false, tryHold: async () => ({ release: () => undefined }) };
    const take = (steal: boolean): Hold | null => {
      if (origin.lockHolder && !steal) return null;
      if (origin.lockHolder) {
        chronicle.fault(
          this.name,
          `lock: stolen from ${origin.lockHolder.host.isFrozen ? "a frozen" : "a slow"} host`,
        );
        origin.excuse();
      }
      const hold = { host: this };
      origin.lockHolder = hold;
      return {
        release: () => {
          if (origin.lockHolder === hold) origin.lockHolder = null;
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
