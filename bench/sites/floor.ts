/** The least that it can cost to hand events to a worker: one message with all of them. */
import { present } from "./subject.js";

const open = (): Worker => new Worker(new URL("./floor-worker.ts", import.meta.url), { type: "module" });

let worker: Worker;
present({
  init: () => {
    worker = open();
    return new Promise((ready) => worker.addEventListener("message", ready, { once: true }));
  },
  track: (event) => worker.postMessage([event]),
  trackAll: (events) => worker.postMessage(events),
});
