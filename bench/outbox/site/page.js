/** The page that tracks, and the page that calls the worker of the floors. */
import { PeopleTrackingSDK } from "../sdk/index.js";

const NAMESPACE = "bench";
const WORDS = "basket checkout river lantern shop price colour summer delivery address paper garden".split(
  " ",
);

/** Makes a text of this length as pages send it: neither random nor uniform. */
const text = (length) => {
  let made = "";
  while (made.length < length) {
    made += `${WORDS[Math.floor(Math.random() * WORDS.length)]}${Math.floor(Math.random() * 100)} `;
  }
  return made.slice(0, length);
};
const texts = Array.from({ length: 997 }, () => text(180));

/** The time of each state update. */
let stateUpdates = [];

const answered = (request) =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
const openOurs = () => answered(indexedDB.open(`people-tracking:${NAMESPACE}`));

/** A row as the worker itself has stored it. */
const storedRow = async () => {
  const db = await openOurs();
  const rows = await answered(db.transaction("outbox").objectStore("outbox").getAll(null, 2));
  db.close();
  return rows.at(-1);
};

let sdk;

window.outbox = {
  /** Starts with another key, for which an earlier `Retry-After` does not count. */
  async start(key) {
    sdk?.close();
    sdk = new PeopleTrackingSDK({
      liveChat: null,
      pageViews: "manual",
      namespace: NAMESPACE,
      maxWaiting: 10_000_000,
    });
    sdk.subscribe(() => stateUpdates.push(performance.now()));
    const outcome = await sdk.init(key);
    if (!outcome.success) throw new Error(outcome.error.message);
  },

  /** Makes groups of calls, the next group when the one before is on disk. @returns the milliseconds of all */
  async track(groups, size) {
    const begin = performance.now();
    for (let group = 0; group < groups; group++) {
      const calls = Array.from({ length: size }, (_, n) =>
        sdk.track("numbered", { n: group * size + n, padding: texts[n % texts.length] }),
      );
      const failed = (await Promise.all(calls)).find(({ success }) => !success);
      if (failed) throw new Error(failed.error.message);
    }
    return performance.now() - begin;
  },

  /** @returns the updates per second since the last call of this function, from the first to the last */
  takeStateUpdates() {
    const times = stateUpdates;
    stateUpdates = [];
    return times.length > 1 ? (1_000 * (times.length - 1)) / (times.at(-1) - times[0]) : 0;
  },

  storedRow,

  /** Adds waiting rows as the worker would have stored them, and counts them in its record. */
  async fill(count) {
    const template = await storedRow();
    const db = await openOurs();
    const record = await answered(db.transaction("tracker").objectStore("tracker").get("tracker"));
    for (let left = count; left > 0; left -= 5_000) {
      const transaction = db.transaction(["outbox", "tracker"], "readwrite");
      const outbox = transaction.objectStore("outbox");
      for (let each = 0; each < Math.min(5_000, left); each++) {
        const seq = record.nextSeq++;
        const id = `filled-${seq}`;
        const properties = { n: seq, padding: texts[seq % texts.length] };
        outbox.add({ ...template, seq, id, operation: { ...template.operation, id, properties } });
        record.lanes[0].waiting++;
      }
      transaction.objectStore("tracker").put(record, "tracker");
      await new Promise((resolve, reject) => {
        transaction.addEventListener("complete", resolve);
        transaction.addEventListener("abort", () => reject(transaction.error));
      });
    }
    db.close();
  },

  /** Returns the bytes that IndexedDB uses on disk for this site. */
  async bytesOnDisk() {
    const { usage, usageDetails } = await navigator.storage.estimate();
    return usageDetails?.indexedDB ?? usage;
  },

  texts,
};

const floor = new SharedWorker("/site/floor-worker.js", { name: "floor" }).port;
/** Calls the worker, one call at a time. */
window.floor = (question) =>
  new Promise((resolve, reject) => {
    const hear = ({ data }) => ("answer" in data ? resolve(data.answer) : reject(new Error(data.error)));
    floor.addEventListener("message", hear, { once: true });
    floor.start();
    floor.postMessage(question);
  });
