/** A page that is its own host goes, and comes back. */
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IndexedDbTrackerStore } from "../../src/adapters/indexeddb/indexeddb-tracker-store.js";
import { asked } from "../../src/adapters/indexeddb/idb-transaction.js";
import { comeBack, leave } from "../../src/adapters/indexeddb/page-absence.js";
import { emptyRecord } from "../../src/core/tracker-record.js";

let databases = 0;
let store: IndexedDbTrackerStore;
beforeEach(async () => {
  store = new IndexedDbTrackerStore(`absence-${++databases}`, "relaxed");
  await store.open();
});
afterEach(() => {
  comeBack();
  store.close();
});

const countUp = (onDecision = (): void => undefined): Promise<number> =>
  store.commit({}, ({ record }) => {
    onDecision();
    const nextSeq = record.nextSeq + 1;
    return { change: { record: { ...record, nextSeq } }, result: nextSeq };
  });
/** Has a transaction of its own on all stores, which comes to an end. */
const anotherTab = async (): Promise<void> => {
  const db = await asked(indexedDB.open(`people-tracking:absence-${databases}`));
  const transaction = db.transaction([...db.objectStoreNames], "readwrite");
  await asked(transaction.objectStore("outbox").count());
  db.close();
};
const first = emptyRecord().nextSeq + 1;

describe("a page in the back-forward cache that is its own host", () => {
  test("a transaction that the page's leaving cuts short is undone, and stored once when the page is back", async () => {
    let decisions = 0;
    let counted: Promise<number> | undefined;
    await new Promise<void>((resolve) => {
      counted = countUp(() => {
        decisions++;
        if (decisions > 1) return;
        leave();
        resolve();
      });
    });
    await anotherTab();
    expect(decisions).toBe(1);
    comeBack();
    expect(await counted).toBe(first);
    expect(decisions).toBe(2);
    expect((await store.read()).nextSeq).toBe(first);
  });

  test("calls while the page is away wait until it is back", async () => {
    leave();
    let decisions = 0;
    const counted = countUp(() => decisions++);
    await anotherTab();
    expect(decisions).toBe(0);
    comeBack();
    expect(await counted).toBe(first);
  });
});
