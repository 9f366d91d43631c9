import type { SendLock, TrackerStore } from "../ports.js";

/**
 * The send lock while the store is on disk. What waits in memory is this host's alone: it is sent without the lock,
 * which a suspended host may hold, and which a host that does not see the leases on disk must not steal.
 */
export const lockOnDisk = (store: Pick<TrackerStore, "kind">, lock: SendLock): SendLock => ({
  get exclusive() {
    return store.kind === "disk" && lock.exclusive;
  },
  tryHold: async (options) => (store.kind === "disk" ? lock.tryHold(options) : { release: () => undefined }),
});
