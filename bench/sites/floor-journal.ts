/**
 * The least that a journal written ahead can cost: the events as JSON, which go to the worker in one message and, as far
 * as a page's journal may grow, into localStorage.
 */
import { present } from "./subject.js";

const open = (): SharedWorker =>
  new SharedWorker(new URL("./floor-shared-worker.ts", import.meta.url), { type: "module" });

const JOURNAL_LENGTH = 256 * 1024;

let port: MessagePort;
const post = (events: readonly unknown[]): void => {
  const text = JSON.stringify(events);
  port.postMessage(text);
  localStorage.setItem("journal", text.slice(0, JOURNAL_LENGTH));
};

present({
  init: () => {
    ({ port } = open());
    return new Promise((ready) => {
      port.addEventListener("message", ready, { once: true });
      port.start();
    });
  },
  track: (event) => post([event]),
  trackAll: post,
});
