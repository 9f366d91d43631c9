/** What a tracker needs of a worker, a service worker or a page. */
import { changeChannel } from "../adapters/change-channel.js";
import { FetchTransport } from "../adapters/fetch-transport.js";
import { sendLock } from "../adapters/send-lock.js";
import { systemClock, systemIds, systemTimers } from "../adapters/system.js";
import { lockOnDisk } from "../core/failover/lock-on-disk.js";
import type { TrackerStore } from "../core/ports.js";
import { sharedName } from "../protocol/names.js";

export const trackerPorts = (store: TrackerStore, namespace: string) => {
  const name = sharedName(namespace);
  return {
    clock: systemClock,
    timers: systemTimers,
    ids: systemIds,
    random: Math.random,
    store,
    transport: new FetchTransport(systemClock),
    lock: lockOnDisk(store, sendLock(`${name}:send`)),
    changes: changeChannel(name),
  };
};
