/** One tracker for all pages of a namespace that this host serves, and the pages that watch it. */
import { IndexedDbTrackerStore } from "../adapters/indexeddb/indexeddb-tracker-store.js";
import { systemClock, systemClocks, systemIds, systemTimers } from "../adapters/system.js";
import type { DiskStore } from "../core/failover/disk-connection.js";
import { FailoverStore } from "../core/failover/failover-store.js";
import { Tracker } from "../core/tracker.js";
import type { HostMessage, PageHello } from "../protocol/host.js";
import { PROTOCOL_VERSION } from "../protocol/host.js";
import { durabilityOf } from "./check-hello.js";
import { instance } from "./instance.js";
import { trackerPorts } from "./tracker-ports.js";

/** Pages hear of changes at most this often: people see no more, and each message costs both sides. */
const STATE_INTERVAL_MS = 200;

const openDisk = async (hello: PageHello): Promise<DiskStore> => {
  const store = new IndexedDbTrackerStore(hello.namespace, durabilityOf(hello));
  await store.open();
  return store;
};

type Watcher = (message: HostMessage) => void;

export class SharedTracker {
  readonly #watchers = new Set<Watcher>();
  /** Of the pages that somebody sees, as far as they have said. */
  readonly #visible = new Set<Watcher>();
  #isTelling = false;
  #changedSinceTold = false;
  /** What all pages know, as JSON; one that attaches knows it from the answer. */
  #told = "";
  readonly tracker: Tracker;
  readonly #namespace: string;
  readonly #closePorts: () => void;
  /** Another one has taken over. */
  isRetired = false;

  constructor(hello: PageHello) {
    const { namespace } = hello;
    const store = new FailoverStore({
      open: () => openDisk(hello),
      clock: systemClock,
      timers: systemTimers,
      onFailover: () => this.#changed(),
      onRetired: () => this.#retire(),
    });
    const ports = trackerPorts(store, namespace);
    this.tracker = new Tracker(ports, instance, () => this.#changed());
    this.#namespace = namespace;
    this.#closePorts = () => ports.changes.close();
  }

  watch(watcher: Watcher): void {
    this.#watchers.add(watcher);
    this.setVisible(watcher, true);
  }

  unwatch(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    this.setVisible(watcher, false);
  }

  setVisible(watcher: Watcher, isVisible: boolean): void {
    if (isVisible) this.#visible.add(watcher);
    else this.#visible.delete(watcher);
    // Where the store fails, what waits stays there.
    this.tracker.setInBackground(this.#visible.size === 0).catch(() => undefined);
  }

  /** Tells one page at once, so that what it called for shows in its state when the call answers. */
  async tell(watcher: Watcher): Promise<void> {
    if (!this.#watchers.has(watcher)) return;
    const state = await this.tracker.state();
    // The page may have gone meanwhile.
    if (this.#watchers.has(watcher)) watcher({ peopleTracking: "state", ...state, clocks: systemClocks() });
  }

  /** Its pages attach again, as to a host whose script has started anew, and with the first one another tracker starts. */
  #retire(): void {
    this.isRetired = true;
    this.#close();
    trackers.delete(this.#namespace);
    const hello: HostMessage = {
      peopleTracking: "hello",
      protocol: PROTOCOL_VERSION,
      instance: systemIds.uuid(),
      clocks: systemClocks(),
    };
    for (const watcher of this.#watchers) watcher(hello);
    this.#watchers.clear();
  }

  #close(): void {
    this.tracker.close();
    this.#closePorts();
  }

  /** Tells at once where nothing was told lately, and once more after the interval for what came in between. */
  #changed(): void {
    this.#changedSinceTold = true;
    if (!this.#isTelling) void this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    this.#isTelling = true;
    this.#changedSinceTold = false;
    try {
      // Read once for all tabs: what a page asks waits for the reads before it.
      const state = this.#watchers.size > 0 && (await this.tracker.state());
      const text = JSON.stringify(state);
      const isNew = state && text !== this.#told;
      this.#told = text;
      const clocks = systemClocks();
      if (isNew) for (const watcher of this.#watchers) watcher({ peopleTracking: "state", ...state, clocks });
    } catch {
      // The store failed: there is nothing to tell until it answers again.
    }
    // From here: where the store took long to say what is told, the next word would come too soon after this one.
    setTimeout(() => {
      this.#isTelling = false;
      if (this.#changedSinceTold) void this.#tellAll();
    }, STATE_INTERVAL_MS);
  }
}

const trackers = new Map<string, SharedTracker>();

/** The namespace's tracker in this host, made for the first page, which starts it as it attaches. */
export const sharedTracker = (hello: PageHello): SharedTracker => {
  const known = trackers.get(hello.namespace);
  if (known) return known;
  const made = new SharedTracker(hello);
  trackers.set(hello.namespace, made);
  return made;
};
