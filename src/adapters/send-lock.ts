/**
 * The Web Lock that shared and service workers hold while they send, in browsers with Background Sync. Elsewhere the
 * lease decides alone, for a lock throws pages out of the back-forward cache: in Firefox those of a worker that has
 * one, in Chromium a page that has one itself or in its dedicated worker. WebKit leaves locks with workers that it
 * froze, and insecure origins have none.
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

/** In a page an element with such an id has the name, but is no function. */
const knows = (name: string): boolean => typeof Reflect.get(globalThis, name) === "function";

const outlivesPages = knows("SharedWorkerGlobalScope") || knows("ServiceWorkerGlobalScope");

export const sendLock = (name: string): SendLock =>
  outlivesPages && knows("SyncManager") && "locks" in navigator
    ? {
        exclusive: true,
        tryHold: (options) => request(name, options?.steal ? { steal: true } : { ifAvailable: true }),
      }
    : { exclusive: false, tryHold: () => Promise.resolve({ release: () => undefined }) };
