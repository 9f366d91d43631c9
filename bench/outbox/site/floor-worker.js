/** The floors: IndexedDB and `fetch` alone, in a SharedWorker, with the same rows under the same index. */
const INDEX = ["state", "profile.kind", "profile.id", "seq"];

const answered = (request) =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
const committed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.addEventListener("complete", resolve);
    transaction.addEventListener("abort", () => reject(transaction.error));
    transaction.commit();
  });

const openFloor = async () => {
  const request = indexedDB.open("floor", 1);
  request.addEventListener("upgradeneeded", () => {
    request.result.createObjectStore("outbox", { keyPath: "seq" }).createIndex("rows", INDEX);
  });
  return answered(request);
};
let database;
const transactionOn = (mode) => database.transaction("outbox", mode, { durability: "relaxed" });
let nextSeq = 1;

const tasks = {
  /** @returns the milliseconds of all groups, without the time for making the rows */
  async store({ row, texts, groups, size }) {
    const rows = Array.from({ length: groups * size }, (_, n) => {
      const seq = nextSeq++;
      const id = `${row.id.slice(0, -6)}${seq}`;
      const properties = { n, padding: texts[n % texts.length] };
      return { ...row, seq, id, operation: { ...row.operation, id, properties } };
    });
    const begin = performance.now();
    for (let group = 0; group < groups; group++) {
      const transaction = transactionOn("readwrite");
      const outbox = transaction.objectStore("outbox");
      for (const each of rows.slice(group * size, (group + 1) * size)) outbox.put(each);
      await committed(transaction);
    }
    return performance.now() - begin;
  },

  async send({ size }) {
    for (;;) {
      const outbox = transactionOn("readonly").objectStore("outbox");
      const rows = await answered(outbox.getAll(null, size));
      if (rows.length === 0) return null;
      const answer = await fetch("/people/v1/batches", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ operations: rows.map(({ operation }) => operation) }),
      });
      await answer.json();
      const transaction = transactionOn("readwrite");
      transaction.objectStore("outbox").delete(IDBKeyRange.bound(rows[0].seq, rows.at(-1).seq));
      await committed(transaction);
    }
  },
};

self.addEventListener("connect", ({ ports: [port] }) => {
  port.addEventListener("message", async ({ data }) => {
    database ??= await openFloor();
    tasks[data.task](data).then(
      (answer) => port.postMessage({ answer }),
      (error) => port.postMessage({ error: String(error) }),
    );
  });
  port.start();
});
