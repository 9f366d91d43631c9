/**
 * The Web Lock that shared and service workers hold while they send, in browsers with Background Sync. All other hosts rely
 * on the lease alone, because a lock evicts pages from the back-forward cache: in Firefox the pages of a worker that holds
 * one, in Chromium a page that holds one itself or in its dedicated worker. In WebKit a suspended worker keeps its lock, and
 * insecure origins have no locks.
 */
import type { Hold, SendLock } from "../core/ports.js";

const request = (name: string, options: LockOptions): Promise<Hold | null> =>
  new Promise((resolve) => {
    navigator.locks
      .request(name, options, (lock) => {
        if (!lock) return resolve(null);
        return new Promise<void>((release) => resolve({ release }));
      })
      // The lock was stolen. The new holder has taken the lease too, which the next read of the lease shows.
      .catch(() => resolve(null));
  });

/** Whether a global is a function. An element whose id is that name is not. */
const knows = (name: string): boolean => typeof Reflect.get(globalThis, name) === "function";

const outlivesPages = knows("SharedWorkerGlobalScope") || knows("ServiceWorkerGlobalScope");

export const sendLock = (name: string): SendLock =>
  outlivesPages && knows("SyncManager") && "locks" in navigator
    ? {
        exclusive: true,
        tryHold: (options) => request(name, options?.steal ? { steal: true } : { ifAvailable: true }),
      }
    : { exclusive: false, tryHold: () => Promise.resolve({ release: () => undefined }) };
