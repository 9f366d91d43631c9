/** Tells the origin's other hosts that the store changed: one message a task, however many changes it made. */
import type { ChangeSignal } from "../core/ports.js";

export const changeChannel = (name: string): ChangeSignal & { close(): void } => {
  const channel = new BroadcastChannel(name);
  let announced = false;
  return {
    announce() {
      if (announced) return;
      announced = true;
      setTimeout(() => {
        announced = false;
        channel.postMessage("changed");
      });
    },
    listen(listener) {
      channel.addEventListener("message", listener);
      return () => channel.removeEventListener("message", listener);
    },
    close: () => channel.close(),
  };
};
