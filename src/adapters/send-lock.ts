/** The Web Lock that a sender holds while it sends; on insecure origins there is none, and the lease decides. */
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
  typeof navigator === "undefined" || !("locks" in navigator)
    ? { exclusive: false, tryHold: () => Promise.resolve({ release: () => undefined }) }
    : {
        exclusive: true,
        tryHold: (options) => request(name, options?.steal ? { steal: true } : { ifAvailable: true }),
      };
