/** The same floor through a shared worker, where one tracker serves all tabs: its port crosses processes. */
import { present } from "./subject.js";

const open = (): SharedWorker =>
  new SharedWorker(new URL("./floor-shared-worker.ts", import.meta.url), { type: "module" });

let port: MessagePort;
present({
  init: () => {
    ({ port } = open());
    return new Promise((ready) => {
      port.addEventListener("message", ready, { once: true });
      port.start();
    });
  },
  track: (event) => port.postMessage([event]),
  trackAll: (events) => port.postMessage(events),
});
