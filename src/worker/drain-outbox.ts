/** Delivers the outbox without any page: the same core on the same store as in any other host. */
import { IndexedDbTrackerStore } from "../adapters/indexeddb/indexeddb-tracker-store.js";
import { systemTimers } from "../adapters/system.js";
import type { Plan } from "../core/delivery/plan.js";
import { Tracker } from "../core/tracker.js";
import { within } from "../core/within.js";
import { MINUTE, SECOND } from "../protocol/wire.js";
import { instance } from "./instance.js";
import { trackerPorts } from "./tracker-ports.js";

/** Chromium ends a `sync` event after five minutes. */
const DRAIN_MS = 4 * MINUTE;
/** An IndexedDB that does not open within this time is unavailable. */
const OPEN_TIMEOUT_MS = 10 * SECOND;

/** @throws if something still waits that could not be delivered: the browser then tries again later */
export const drainOutbox = async (namespace: string): Promise<void> => {
  const store = new IndexedDbTrackerStore(namespace, "relaxed");
  const ports = trackerPorts(store, namespace);
  const listeners = new Set<() => void>();
  const tracker = new Tracker(ports, instance, () => listeners.forEach((look) => look()));
  try {
    const opened = store.open().then(() => true);
    if (!(await within(systemTimers, OPEN_TIMEOUT_MS, opened, false))) throw new Error("no IndexedDB");
    await tracker.start();
    const until = Date.now() + DRAIN_MS;
    const hopeless = new Promise<void>((resolve) => {
      listeners.add(() => {
        void tracker.plan().then(
          (plan) => isHopeless(plan, until) && resolve(),
          () => {}, // the store failed: the timeout ends the wait
        );
      });
    });
    await Promise.race([tracker.flush(DRAIN_MS), hopeless]);
    const { outbox, optedOut } = (await tracker.state()).state;
    if (outbox.waiting > 0 && !optedOut) throw new Error(`${outbox.waiting} operations wait`);
  } finally {
    tracker.close();
    ports.changes.close();
    store.close();
  }
};

/** Whether nothing can be sent before the event ends. */
const isHopeless = (plan: Plan, until: number): boolean =>
  plan.kind === "idle" || (plan.kind === "wait" && plan.until > until);
