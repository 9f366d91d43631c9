/** The least that a start can cost that ends with a row on disk: a message to a shared worker, and one back. */
import { present } from "./subject.js";

let port: MessagePort;
present({
  init: () => {
    ({ port } = new SharedWorker(new URL("./floor-durable-worker.ts", import.meta.url), { type: "module" }));
    return new Promise((stored) => {
      port.addEventListener("message", stored, { once: true });
      port.start();
      port.postMessage({ type: "pageView", url: document.URL, title: document.title });
    });
  },
  track: (event) => port.postMessage(event),
});
