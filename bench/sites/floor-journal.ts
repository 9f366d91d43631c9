/**
 * The least that a write-ahead journal can cost: the events as JSON go to the worker in one message and, up to the maximum
 * size of a page's journal, into localStorage.
 */
import { openFloorPort } from "./floor-port.js";
import { present } from "./subject.js";

const JOURNAL_LENGTH = 256 * 1024;

let port: MessagePort;
const post = (events: readonly unknown[]): void => {
  const text = JSON.stringify(events);
  port.postMessage(text);
  localStorage.setItem("journal", text.slice(0, JOURNAL_LENGTH));
};

present({
  init: async () => {
    port = await openFloorPort();
  },
  track: (event) => post([event]),
  trackAll: post,
});
