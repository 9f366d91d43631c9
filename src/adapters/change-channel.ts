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
  const channel = openChannel(name);
  let announced = false;
  return {
    announce() {
      if (announced) return;
      announced = true;
      setTimeout(() => {
        announced = false;
        try {
          channel?.postMessage("changed");
        } catch {
          // Closed in the meantime: this host is done.
        }
      });
    },
    listen(listener) {
      channel?.addEventListener("message", listener);
      return () => channel?.removeEventListener("message", listener);
    },
    close: () => channel?.close(),
  };
};
