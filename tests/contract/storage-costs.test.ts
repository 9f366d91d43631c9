/** What the store asks of IndexedDB, by count: the same however much waits. */
import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { OutboxRow, Profile } from "../../src/protocol/api.js";
import { IndexedDbTrackerStore } from "../../src/adapters/indexeddb/indexeddb-tracker-store.js";
import { emptyRecord } from "../../src/core/tracker-record.js";

const ANNA: Profile = { kind: "lead", id: "anna" };

const rowsFrom = (first: number, count: number): OutboxRow[] =>
  Array.from({ length: count }, (_, n) => ({
    seq: first + n,
    id: `page-${first + n}`,
    type: "event",
    state: "waiting",
    profile: ANNA,
    occurredAt: "2026-01-05T12:00:00.000Z",
    operation: {},
  }));
const recordWith = (waiting: number) => ({
  ...emptyRecord(),
  lanes: [{ profile: ANNA, waiting, rejected: 0 }],
});

let databases = 0;
let name: string;
let store: IndexedDbTrackerStore;
beforeEach(async () => {
  name = `costs-${++databases}`;
  store = new IndexedDbTrackerStore(name, "relaxed");
  await store.open();
});
afterEach(() => {
  vi.restoreAllMocks();
  store.close();
});

/** Watches what is asked while the work runs; it is done all the same. */
const costOf = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
  const spies = [
    vi.spyOn(IDBDatabase.prototype, "transaction"),
    ...(["get", "getAll", "put", "delete", "openCursor"] as const).map((name) =>
      vi.spyOn(IDBObjectStore.prototype, name),
    ),
    ...(["getAll", "getAllKeys", "getKey", "count", "openCursor"] as const).map((name) =>
      vi.spyOn(IDBIndex.prototype, name),
    ),
  ];
  await work();
  const costs: Record<string, number> = {};
  for (const spy of spies) {
    const count = spy.mock.calls.length;
    const name = spy.getMockName();
    if (count > 0) costs[name] = (costs[name] ?? 0) + count;
    spy.mockRestore();
  }
  return costs;
};

test.each(["new", "known"])("a %s database is opened by one request", async (which) => {
  const requests = vi.spyOn(indexedDB, "open");
  const another = new IndexedDbTrackerStore(which === "new" ? `costs-${++databases}` : name, "relaxed");
  await another.open();
  expect(requests).toHaveBeenCalledOnce();
  another.close();
});

describe("what the store asks of IndexedDB", () => {
  test("a group of 1,000 calls is stored in one transaction", async () => {
    const costs = await costOf(() =>
      store.commit({ pages: ["page"] }, () => ({
        change: { record: recordWith(1_000), put: rowsFrom(1, 1_000) },
        result: null,
      })),
    );
    expect(costs).toEqual({ transaction: 1, get: 2, put: 1_001 });
  });

  test.each([500, 3_000])(
    "a batch costs one read and one commit of few requests, %i waiting",
    async (count) => {
      await store.commit({}, () => ({
        change: { record: recordWith(count), put: rowsFrom(1, count) },
        result: null,
      }));
      const reading = await costOf(async () => {
        expect((await store.readWaiting([ANNA], 500)).rows).toHaveLength(500);
      });
      expect(reading).toEqual({ transaction: 1, get: 1, getAll: 1 });
      const settling = await costOf(() =>
        store.commit({ waiting: { profile: ANNA, from: 1, to: 500 } }, ({ waitingSeqs }) => ({
          change: { record: recordWith(count - 500), remove: waitingSeqs },
          result: null,
        })),
      );
      expect(settling).toEqual({ transaction: 1, get: 1, getAllKeys: 1, put: 1, delete: 1 });
      expect((await store.readWaiting([ANNA], 10_000)).rows).toHaveLength(count - 500);
    },
  );

  test("rows that leave with gaps between them leave as runs", async () => {
    await store.commit({}, () => ({ change: { put: rowsFrom(1, 500) }, result: null }));
    const remove = rowsFrom(1, 500).flatMap(({ seq }) => (seq % 100 === 0 ? [] : [seq]));
    const costs = await costOf(() => store.commit({}, () => ({ change: { remove }, result: null })));
    expect(costs).toEqual({ transaction: 1, get: 1, delete: 5 });
  });
});
