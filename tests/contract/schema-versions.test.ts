/** Tabs of before and after a deploy on one database. */
import "fake-indexeddb/auto";
import { Dexie } from "dexie";
import { afterEach, describe, expect, test, vi } from "vitest";
import { IndexedDbTrackerStore } from "../../src/adapters/indexeddb/indexeddb-tracker-store.js";
import { openAhead } from "../../src/adapters/indexeddb/open-database.js";
import { systemClock } from "../../src/adapters/system.js";
import { FailoverStore } from "../../src/core/failover/failover-store.js";
import { emptyRecord } from "../../src/core/tracker-record.js";

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

const NOW = {
  outbox: "seq, [state+profile.kind+profile.id+seq]",
  tracker: "",
  pages: "pageId, touchedAt",
  retiredLiveChatSessions: "key",
  definitions: "",
};

let databases = 0;
const newName = (): string => `schema-${++databases}`;
/** What a later version of this code would make of the database. */
const openLater = async (namespace: string, schema: Record<string, string | null>): Promise<Dexie> => {
  const later = new Dexie(`people-tracking:${namespace}`);
  later.version(1).stores(NOW);
  later.version(2).stores(schema);
  opened.push(later);
  await later.open();
  return later;
};
const openStore = async (namespace: string): Promise<IndexedDbTrackerStore> => {
  const store = new IndexedDbTrackerStore(namespace, "relaxed");
  opened.push(store);
  await store.open();
  return store;
};
/** A tracker's store, whose timers run when the test says so. */
const failoverStore = (namespace: string) => {
  const timers = new Set<() => void>();
  const changes = { failovers: 0, isRetired: false };
  const store = new FailoverStore({
    open: () => openStore(namespace),
    clock: systemClock,
    timers: {
      after: (_, callback) => {
        timers.add(callback);
        return () => timers.delete(callback);
      },
    },
    onFailover: () => (changes.failovers += 1),
    onRetired: () => (changes.isRetired = true),
  });
  const runTimers = (): void => {
    for (const callback of Array.from(timers)) {
      timers.delete(callback);
      callback();
    }
  };
  return { store, changes, runTimers };
};

const nextSeq = async (store: { read(): Promise<{ nextSeq: number }> }) => (await store.read()).nextSeq;
const put = (store: IndexedDbTrackerStore | FailoverStore, seq: number) =>
  store.commit({}, () => ({ change: { record: { ...emptyRecord(), nextSeq: seq } }, result: null }));

/** Another tab's connection to a database that a still older version has made, and that hears no `versionchange`. */
const openOlder = (namespace: string): Promise<IDBDatabase> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open(`people-tracking:${namespace}`, 1);
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(new Error("it did not open")));
  });

describe("versions of the database schema", () => {
  test("a later schema that adds is used as it is, and not changed", async () => {
    const namespace = newName();
    const later = await openLater(namespace, { ...NOW, journal: "id" });
    const store = await openStore(namespace);
    await put(store, 7);
    expect(await nextSeq(store)).toBe(7);
    expect(await later.table("tracker").toArray()).toMatchObject([{ nextSeq: 7 }]);
    expect(later.verno).toBe(2);
    expect(later.isOpen()).toBe(true);
  });

  test("a browser that never lists its databases, as Chromium while it clears a site's data, harms nothing", async () => {
    const namespace = newName();
    const asked = vi.spyOn(indexedDB, "databases").mockReturnValue(new Promise(() => undefined));
    const store = await openStore(namespace);
    await put(store, 7);
    expect(await nextSeq(store)).toBe(7);
    asked.mockRestore();
  });

  test("a later schema that lacks what this code needs is refused and left alone", async () => {
    const namespace = newName();
    const later = await openLater(namespace, { ...NOW, pages: null });
    await expect(openStore(namespace)).rejects.toThrow("keeps its tracking data otherwise");
    later.close();
    const again = new Dexie(`people-tracking:${namespace}`);
    opened.push(again);
    await again.open();
    expect(again.verno).toBe(2);
    expect(again.tables.map(({ name }) => name)).not.toContain("pages");
  });

  test("a tab of before goes on after the tab of after has upgraded under it", async () => {
    const namespace = newName();
    const { store } = failoverStore(namespace);
    await put(store, 3);
    const later = await openLater(namespace, { ...NOW, journal: "id" });
    expect(await nextSeq(store)).toBe(3);
    await put(store, 4);
    expect(store.kind).toBe("disk");
    expect(await later.table("tracker").toArray()).toMatchObject([{ nextSeq: 4 }]);
  });

  test("a database that an older version has made is upgraded", async () => {
    const namespace = newName();
    (await openOlder(namespace)).close();
    const store = await openStore(namespace);
    await put(store, 7);
    expect(await nextSeq(store)).toBe(7);
  });

  test("a new database is as Dexie would create it", async () => {
    const namespace = newName();
    await put(await openStore(namespace), 7);
    const stores: Record<string, string> = {};
    const dexie = new Dexie(`people-tracking:${namespace}`);
    opened.push(dexie);
    await dexie.open();
    for (const { name, schema } of dexie.tables) {
      stores[name] = [schema.primKey.src, ...schema.indexes.map(({ src }) => src)].join(", ");
    }
    expect(stores).toEqual(NOW);
    expect(dexie.verno).toBe(1);
  });

  test.each([
    ["as it is needed", () => undefined],
    ["before it is needed", (namespace: string) => openAhead(`people-tracking:${namespace}`)],
  ])("an upgrade that another tab blocks is waited for in memory, begun %s", async (_, begin) => {
    const namespace = newName();
    const frozen = await openOlder(namespace);
    const { store, changes, runTimers } = failoverStore(namespace);
    begin(namespace);
    const stored = put(store, 5);
    for (let step = 0; step < 4; step += 1) runTimers();
    await stored;
    expect([store.kind, changes.failovers]).toEqual(["memory", 1]);

    frozen.close();
    runTimers();
    await vi.waitUntil(() => changes.isRetired);
  });
});

describe("a database that is opened before it is needed", () => {
  afterEach(() => void vi.restoreAllMocks());

  test("is opened once", async () => {
    const namespace = newName();
    const requests = vi.spyOn(indexedDB, "open");
    openAhead(`people-tracking:${namespace}`);
    await put(await openStore(namespace), 7);
    expect(requests).toHaveBeenCalledOnce();
  });

  test("is opened again where it was deleted meanwhile", async () => {
    const namespace = newName();
    openAhead(`people-tracking:${namespace}`);
    await Dexie.delete(`people-tracking:${namespace}`);
    const { store } = failoverStore(namespace);
    await put(store, 7);
    expect([store.kind, await nextSeq(store)]).toEqual(["disk", 7]);
  });

  test("is not taken for another one", async () => {
    const [one, other] = [newName(), newName()];
    openAhead(`people-tracking:${one}`);
    await put(await openStore(other), 7);
    expect(await nextSeq(await openStore(one))).toBe(1);
  });
});
