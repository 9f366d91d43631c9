/**
 * The least that a journal written ahead can cost: the events as JSON, which go to the worker in one message and, as far
 * as a page's journal may grow, into localStorage.
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
