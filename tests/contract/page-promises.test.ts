/** Transactions where the page has put another Promise in the place of the engine's. */
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const EnginePromise = Promise;

const aTask = () => new EnginePromise<void>((resolve) => setTimeout(resolve));

/** As promises were before engines had microtasks to give: whoever waits is called in a task of its own. */
class TaskPromise<Value> extends EnginePromise<Value> {
  static override get [Symbol.species](): PromiseConstructor {
    return EnginePromise;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a promise is what this is
  override then<Result, Failure>(
    onValue?: ((value: Value) => Result | PromiseLike<Result>) | null,
    onError?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return super.then(
      async (value) => {
        await aTask();
        return (onValue ? onValue(value) : value) as Result;
      },
      async (error: unknown) => {
        await aTask();
        if (!onError) throw error;
        return onError(error);
      },
    );
  }
}

const openDatabase = (name: string): Promise<IDBDatabase> =>
  new EnginePromise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.addEventListener("upgradeneeded", () => opening.result.createObjectStore("a"));
    opening.addEventListener("success", () => resolve(opening.result));
    opening.addEventListener("error", () => reject(opening.error as DOMException));
  });

describe("with a page's own Promise", () => {
  beforeEach(() => {
    vi.resetModules();
    globalThis.Promise = TaskPromise;
  });
  afterEach(() => {
    globalThis.Promise = EnginePromise;
  });

  test("a transaction stays open while its own requests are awaited", async () => {
    const { allAsked, asked, inTransaction } =
      await import("../../src/adapters/indexeddb/idb-transaction.js");
    const db = await openDatabase("page-promises");
    const written = await inTransaction(db.transaction("a", "readwrite"), async (transaction) => {
      const store = transaction.objectStore("a");
      const counts = await allAsked([asked(store.count()), asked(store.count())]);
      await asked(store.put(counts.length, "key"));
      return asked(store.get("key"));
    });
    expect(written).toBe(2);
    db.close();
  });
});
