/**
 * Tells the origin's other hosts that the store changed: at once where nothing was told lately, and once more for all that
 * changes soon after. Without BroadcastChannel (old Safari, some embedded browsers) they find out by looking again, which
 * they do anyway.
 */
import type { ChangeSignal } from "../core/ports.js";

/** Other hosts need to know of a stream of events, but not of each event. */
const ANNOUNCE_INTERVAL_MS = 200;

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
  let pause: ReturnType<typeof setTimeout> | undefined;
  let hasChanged = false;

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

  const post = (): void => {
    hasChanged = false;
    clearTimeout(pause);
    pause = setTimeout(() => {
      pause = undefined;
      if (hasChanged) post();
    }, ANNOUNCE_INTERVAL_MS);
    try {
      channel?.postMessage("changed");
    } catch {
      // Closed in the meantime: this host is done, or its page away.
    }
  };

  return {
    announce({ atOnce } = { atOnce: false }) {
      if (atOnce || pause === undefined) post();
      else hasChanged = true;
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      closing.abort();
      clearTimeout(pause);
      channel?.close();
    },
  };
};
