import { SECOND } from "../protocol/wire.js";
import type { Tab } from "./tab.js";
import { warn } from "./warn.js";

/** A tab that is suspended keeps its lock. Without the lock, two tabs may make the same exchange; one of them undoes it. */
const LONGEST_WAIT_FOR_LOCK_MS = 30 * SECOND;

export const browserTab = (): Tab => {
  /** What the browser refused to store: it lasts as long as the tab. */
  const unstored = new Map<string, string>();
  return {
    read(key) {
      const text = unstored.get(key);
      if (text !== undefined) return text;
      try {
        return localStorage.getItem(key);
      } catch {
        return null;
      }
    },
    write(key, text) {
      try {
        localStorage.setItem(key, text);
        unstored.delete(key);
      } catch {
        unstored.set(key, text);
        warn("storage");
      }
    },
    onWrite: (listener) => listen(window, "storage", listener),
    onReturn(listener) {
      const endings = [
        listen(window, "online", () => listener("online")),
        listen(document, "visibilitychange", () => {
          if (document.visibilityState === "visible") listener("visible");
        }),
      ];
      return () => endings.forEach((end) => end());
    },
    async alone(name, work) {
      // Insecure origins have no locks.
      const { locks } = navigator as { locks?: LockManager };
      if (!locks) return work();
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), LONGEST_WAIT_FOR_LOCK_MS);
      let isHeld = false;
      try {
        await locks.request(name, { signal: controller.signal }, () => {
          isHeld = true;
          clearTimeout(timer);
          return work();
        });
      } catch (error) {
        if (isHeld) throw error;
        await work();
      } finally {
        clearTimeout(timer);
      }
    },
    fetch: (url, init) => fetch(url, init),
    isOnline: () => navigator.onLine,
    now: () => Date.now(),
    random: () => Math.random(),
  };
};

const listen = (target: EventTarget, type: string, listener: () => void): (() => void) => {
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
};
