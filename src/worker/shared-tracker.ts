/** One tracker for all pages of a namespace that this host serves, and the pages that watch it. */
import type { HostKind } from "../protocol/api.js";
import type { HostMessage, PageHello } from "../protocol/host.js";
import { SECOND } from "../protocol/wire.js";
import { changeChannel } from "../adapters/change-channel.js";
import { DexieTrackerStore } from "../adapters/dexie-tracker-store.js";
import { FetchTransport } from "../adapters/fetch-transport.js";
import { MemoryTrackerStore } from "../adapters/memory-tracker-store.js";
import { sendLock } from "../adapters/send-lock.js";
import { systemClock, systemIds, systemTimers } from "../adapters/system.js";
import type { TrackerStore } from "../core/ports.js";
import { Tracker } from "../core/tracker.js";
import { within } from "../core/within.js";
import { instance } from "./instance.js";

/** Pages hear of changes at most this often. */
const STATE_INTERVAL_MS = 100;
/** An IndexedDB that does not open by then is not to be had now. */
const OPEN_TIMEOUT_MS = 2 * SECOND;

type Watcher = (message: HostMessage) => void;

const openStore = async ({ namespace, durability }: PageHello): Promise<TrackerStore> => {
  const store = new DexieTrackerStore(namespace, durability);
  const opened = store.open().then(
    () => true,
    () => false, // private mode, a blocked or broken database: `state.storage` says so
  );
  if (await within(systemTimers, OPEN_TIMEOUT_MS, opened, false)) return store;
  store.close();
  return new MemoryTrackerStore();
};

export class SharedTracker {
  readonly #watchers = new Map<Watcher, HostKind>();
  #tellTimer: ReturnType<typeof setTimeout> | null = null;
  #changedSinceTold = false;
  readonly tracker: Tracker;

  private constructor(store: TrackerStore, namespace: string) {
    const name = `people-tracking:${namespace}`;
    const ports = {
      clock: systemClock,
      timers: systemTimers,
      ids: systemIds,
      random: Math.random,
      store,
      transport: new FetchTransport(systemClock),
      lock: sendLock(`${name}:send`),
      changes: changeChannel(name),
    };
    this.tracker = new Tracker(ports, instance, () => this.#changed());
  }

  static async start(hello: PageHello): Promise<SharedTracker> {
    const shared = new SharedTracker(await openStore(hello), hello.namespace);
    await shared.tracker.start();
    return shared;
  }

  watch(watcher: Watcher, host: HostKind): void {
    this.#watchers.set(watcher, host);
  }

  unwatch(watcher: Watcher): void {
    this.#watchers.delete(watcher);
  }

  /** Tells one page at once, so that what it called for shows in its state when the call answers. */
  async tell(watcher: Watcher): Promise<void> {
    const host = this.#watchers.get(watcher);
    if (host) watcher({ peopleTracking: "state", ...(await this.tracker.state(host)) });
  }

  /** Tells at once where nothing was told lately, and once more after the interval for what came in between. */
  #changed(): void {
    this.#changedSinceTold = true;
    if (this.#tellTimer === null) void this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    this.#changedSinceTold = false;
    this.#tellTimer = setTimeout(() => {
      this.#tellTimer = null;
      if (this.#changedSinceTold) void this.#tellAll();
    }, STATE_INTERVAL_MS);
    try {
      for (const watcher of this.#watchers.keys()) await this.tell(watcher);
    } catch {
      // The store failed: there is nothing to tell until it answers again.
    }
  }
}

const trackers = new Map<string, Promise<SharedTracker>>();

/** The namespace's tracker in this host, started with the first page. */
export const sharedTracker = (hello: PageHello): Promise<SharedTracker> => {
  const known = trackers.get(hello.namespace);
  if (known) return known;
  const started = SharedTracker.start(hello);
  trackers.set(hello.namespace, started);
  // A start that failed is tried again by the next page that attaches.
  started.catch(() => trackers.delete(hello.namespace));
  return started;
};
