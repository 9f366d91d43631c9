/** The least that a tracker can cost which has each event on disk by itself: a message to a shared worker, and one back. */
import { present } from "./subject.js";

let port: MessagePort;
const waiting: (() => void)[] = [];

present({
  init: () => {
    ({ port } = new SharedWorker(new URL("./floor-stored-worker.ts", import.meta.url), { type: "module" }));
    port.addEventListener("message", () => waiting.shift()?.());
    port.start();
    return new Promise<void>((ready) => waiting.push(ready));
  },
  track: (event) =>
    new Promise<void>((stored) => {
      waiting.push(stored);
      port.postMessage(event);
    }),
});
