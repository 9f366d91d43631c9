/**
 * Tells the origin's other hosts that the store changed: one message a task, however many changes it made. Without
 * BroadcastChannel (old Safari, some embedded browsers) they find out by looking again, which they do anyway.
 */
import type { ChangeSignal } from "../core/ports.js";

const openChannel = (name: string): BroadcastChannel | null => {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null; // missing, or refused to an opaque origin
  }
};

export const changeChannel = (name: string): ChangeSignal & { close(): void } => {
  const listeners = new Set<() => void>();
  const hear = (): void => listeners.forEach((listener) => listener());
  const closing = new AbortController();
  let channel: BroadcastChannel | null = null;
  let announced = false;

  const open = (): void => {
    channel = openChannel(name);
    channel?.addEventListener("message", hear);
  };
  open();
  // Where the page itself is the host: Chromium throws it out of its back-forward cache when a message comes for it.
  const on = (type: string, listener: () => void): void =>
    globalThis.addEventListener?.(type, listener, { signal: closing.signal });
  let isAway = false;
  on("pagehide", () => {
    isAway = true;
    channel?.close();
  });
  on("pageshow", () => {
    if (!isAway) return;
    isAway = false;
    open();
    hear();
  });

  return {
    announce() {
      if (announced) return;
      announced = true;
      setTimeout(() => {
        announced = false;
        try {
          channel?.postMessage("changed");
        } catch {
          // Closed in the meantime: this host is done, or its page away.
        }
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      closing.abort();
      channel?.close();
    },
  };
};
