/**
 * The Web Lock that a sender holds while it sends, in browsers with Background Sync, where all kinds of host see
 * `SyncManager`. In others the lease decides alone: Firefox throws a page out of its back-forward cache when its worker
 * has a lock, WebKit leaves one with workers that it froze, and insecure origins have none.
 */
import type { Hold, SendLock } from "../core/ports.js";

const request = (name: string, options: LockOptions): Promise<Hold | null> =>
  new Promise((resolve) => {
    navigator.locks
      .request(name, options, (lock) => {
        if (!lock) return resolve(null);
        return new Promise<void>((release) => resolve({ release }));
      })
      // Stolen while held: whoever stole it took the lease too, and the next look at the lease tells.
      .catch(() => resolve(null));
  });

export const sendLock = (name: string): SendLock =>
  "SyncManager" in globalThis && "locks" in navigator
    ? {
        exclusive: true,
        tryHold: (options) => request(name, options?.steal ? { steal: true } : { ifAvailable: true }),
      }
    : { exclusive: false, tryHold: () => Promise.resolve({ release: () => undefined }) };
