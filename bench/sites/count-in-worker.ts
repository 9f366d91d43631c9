/** Counts what the worker does with the database, its ports and the network. It runs before the worker's own script. */
const counts = { transactions: 0, rowsRead: 0, rowsWritten: 0, messages: 0, requests: 0 };
export type WorkerCounts = typeof counts;

const countCalls = <Kind extends object>(
  prototype: Kind,
  methods: readonly (keyof Kind & string)[],
  count: (result: unknown) => void,
): void => {
  for (const method of methods) {
    const original = prototype[method] as (...args: unknown[]) => unknown;
    Object.defineProperty(prototype, method, {
      value(this: unknown, ...args: unknown[]) {
        const result = original.apply(this, args);
        count(result);
        return result;
      },
    });
  }
};

const whenRead = (result: unknown): void =>
  (result as IDBRequest<unknown>).addEventListener("success", ({ target }) => {
    const { result: rows } = target as IDBRequest<unknown>;
    if (Array.isArray(rows)) counts.rowsRead += rows.length;
    else if (rows) counts.rowsRead++;
  });

countCalls(IDBDatabase.prototype, ["transaction"], () => counts.transactions++);
countCalls(IDBObjectStore.prototype, ["add", "put"], () => counts.rowsWritten++);
countCalls(IDBObjectStore.prototype, ["get", "getAll", "openCursor"], whenRead);
countCalls(IDBIndex.prototype, ["get", "getAll", "openCursor"], whenRead);
countCalls(MessagePort.prototype, ["postMessage"], () => counts.messages++);
countCalls(globalThis, ["fetch"], () => counts.requests++);

const channel = new BroadcastChannel("benchmark-counts");
channel.addEventListener("message", () => channel.postMessage(counts));
