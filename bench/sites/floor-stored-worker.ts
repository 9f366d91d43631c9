/**
 * Stores each event in a transaction of its own, and answers it. What has been stored since goes as one compressed request,
 * and is then deleted in one transaction. It keeps what it sends in memory, and reads nothing back.
 */
import { collector } from "./subject.js";

/** Since the first event that waits: five batches of 200 events 20 ms apart, and one an event where they are 1 s apart. */
const SEND_AFTER_MS = 800;

const opening = new Promise<IDBDatabase>((resolve) => {
  const request = indexedDB.open("floor", 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore("events"));
  request.addEventListener("success", () => resolve(request.result));
});

let lastKey = 0;
let lastStored = 0;
let unsent: unknown[] = [];

const write = async (change: (events: IDBObjectStore) => void): Promise<void> => {
  const transaction = (await opening).transaction("events", "readwrite", { durability: "relaxed" });
  change(transaction.objectStore("events"));
  transaction.commit();
  await new Promise((stored) => transaction.addEventListener("complete", stored));
};

const send = async (): Promise<void> => {
  const events = unsent;
  const upTo = lastStored;
  unsent = [];
  const compressed = new Blob([JSON.stringify(events)]).stream().pipeThrough(new CompressionStream("gzip"));
  const body = await new Response(compressed).arrayBuffer();
  await fetch(collector("floor-stored"), { method: "POST", body });
  await write((stored) => stored.delete(IDBKeyRange.upperBound(upTo)));
};

const store = async (event: unknown, answer: () => void): Promise<void> => {
  const key = ++lastKey;
  await write((events) => events.put(event, key));
  lastStored = key;
  if (unsent.push(event) === 1) setTimeout(send, SEND_AFTER_MS);
  answer();
};

addEventListener("connect", (connection) => {
  const [port] = (connection as MessageEvent).ports;
  const answer = (): void => port!.postMessage("stored");
  port!.addEventListener("message", ({ data }: MessageEvent<unknown>) => void store(data, answer));
  port!.start();
  void opening.then(answer);
});
