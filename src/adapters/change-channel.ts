/**
 * Notifies the origin's other hosts that the store has changed, with at most one message for each task. Without
 * BroadcastChannel (old Safari, some embedded browsers) they notice the change at their next regular read.
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
  const notify = (): void => listeners.forEach((listener) => listener());
  const closing = new AbortController();
  let channel: BroadcastChannel | null = null;
  let announced = false;

  const open = (): void => {
    channel = openChannel(name);
    channel?.addEventListener("message", notify);
  };
  open();
  // For a page that is its own host: Chromium evicts it from the back-forward cache when it receives a message.
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
    notify();
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
          // The channel was closed meanwhile: this host has ended, or its page is away.
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
