/**
 * The least that calls can cost if each has its own outcome and copies its arguments: a promise, a copy, the time and the page
 * for each call, and then one message with all of them to the worker that serves every tab.
 */
import type { BenchEvent } from "./subject.js";
import { openFloorPort } from "./floor-port.js";
import { present } from "./subject.js";

interface Call {
  event: BenchEvent;
  at: number;
  url: string;
  title: string;
  resolve: () => void;
}
let port: MessagePort;
let calls: Call[] = [];
const post = (): void => {
  const posted = calls;
  calls = [];
  port.postMessage(posted.map(({ resolve: _, ...call }) => call));
  for (const { resolve } of posted) resolve();
};

present({
  init: async () => {
    port = await openFloorPort();
  },
  track: (event) =>
    new Promise<void>((resolve) => {
      const call = { event: { ...event }, at: Date.now(), url: document.URL, title: document.title, resolve };
      if (calls.push(call) === 1) queueMicrotask(post);
    }),
});
