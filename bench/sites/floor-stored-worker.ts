/**
 * Stores each event in a transaction of its own, answers it, sends what has been stored in batches, and deletes each batch in
 * one transaction. It keeps what it sends in memory, and reads nothing back.
 */
import { sendInBatches } from "./floor-batches.js";

const opening = new Promise<IDBDatabase>((resolve) => {
  const request = indexedDB.open("floor", 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore("events"));
  request.addEventListener("success", () => resolve(request.result));
});

const write = async (change: (events: IDBObjectStore) => void): Promise<void> => {
  const transaction = (await opening).transaction("events", "readwrite", { durability: "relaxed" });
  change(transaction.objectStore("events"));
  transaction.commit();
  await new Promise((stored) => transaction.addEventListener("complete", stored));
};

const send = sendInBatches("floor-stored", (key) =>
  write((events) => events.delete(IDBKeyRange.upperBound(key))),
);
let lastKey = 0;

const store = async (event: unknown, answer: () => void): Promise<void> => {
  const key = ++lastKey;
  await write((events) => events.put(event, key));
  send(event, key);
  answer();
};

addEventListener("connect", (connection) => {
  const [port] = (connection as MessageEvent).ports;
  const answer = (): void => port!.postMessage("stored");
  port!.addEventListener("message", ({ data }: MessageEvent<unknown>) => void store(data, answer));
  port!.start();
  void opening.then(answer);
});
