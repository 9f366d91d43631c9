/** One suite for every store that the core may run on. */
import "fake-indexeddb/auto";
import { Dexie } from "dexie";
import { afterEach, describe, expect, test } from "vitest";
import type { OutboxRow, Profile } from "../../src/protocol/api.js";
import { IndexedDbTrackerStore } from "../../src/adapters/indexeddb/indexeddb-tracker-store.js";
import { systemClock, systemTimers } from "../../src/adapters/system.js";
import { FailoverStore } from "../../src/core/failover/failover-store.js";
import { MemoryTrackerStore } from "../../src/core/failover/memory-tracker-store.js";
import type { ProcessedCommands } from "../../src/core/commands/processed-commands.js";
import { noProcessedCommands } from "../../src/core/commands/processed-commands.js";
import type { WriteSet, TrackerStore } from "../../src/core/ports.js";
import { emptyRecord } from "../../src/core/tracker-record.js";

const ANNA: Profile = { kind: "lead", id: "anna" };
const BEN: Profile = { kind: "visitor", id: "ben" };
const NOW = Date.UTC(2026, 0, 5, 12);

const row = (seq: number, profile = ANNA, state: OutboxRow["state"] = "waiting"): OutboxRow => ({
  seq,
  id: `page-${seq}`,
  type: "event",
  state,
  profile,
  sessionId: "s",
  occurredAt: "2026-01-05T12:00:00.000Z",
  operation: { id: `page-${seq}`, type: "event", properties: { lookedAt: 5 } },
});
const rows = (from: number, to: number, profile = ANNA, state: OutboxRow["state"] = "waiting"): OutboxRow[] =>
  Array.from({ length: to - from + 1 }, (_, n) => row(from + n, profile, state));
const seqs = (found: readonly OutboxRow[]): number[] => found.map(({ seq }) => seq);

const put = (store: TrackerStore, change: WriteSet): Promise<null> =>
  store.commit({}, () => ({ change, result: null }));
/** The lanes count what the rows are, as the core keeps them. */
const putRows = (store: TrackerStore, all: readonly OutboxRow[]): Promise<null> => {
  const lanes = [ANNA, BEN].map((profile) => {
    const own = all.filter((one) => one.profile.id === profile.id);
    const waiting = own.filter(({ state }) => state === "waiting").length;
    return { profile, waiting, rejected: own.length - waiting };
  });
  return put(store, { put: all, record: { ...emptyRecord(), lanes } });
};
/** Numbers a row by the record, so that two decisions on one state would collide. */
const appendRow = (store: TrackerStore): Promise<number> =>
  store.commit({}, ({ record }) => ({
    change: { record: { ...record, nextSeq: record.nextSeq + 1 }, put: [row(record.nextSeq)] },
    result: record.nextSeq,
  }));
const pageMarks = (pageId: string, touchedAt: number): ProcessedCommands => ({
  ...noProcessedCommands(pageId),
  touchedAt,
});
const inspectAll = (store: TrackerStore): Promise<OutboxRow[]> => store.inspect({ after: 0, limit: 10_000 });

let databases = 0;
const opened: IndexedDbTrackerStore[] = [];
const openDexie = async (namespace: string): Promise<IndexedDbTrackerStore> => {
  const store = new IndexedDbTrackerStore(namespace, "relaxed");
  opened.push(store);
  await store.open();
  return store;
};
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
});

const STORES: [string, () => Promise<{ store: TrackerStore; twin: TrackerStore }>][] = [
  [
    "MemoryTrackerStore",
    async () => {
      const store = new MemoryTrackerStore();
      return { store, twin: store };
    },
  ],
  [
    "FailoverStore",
    async () => {
      const namespace = `contract-${++databases}`;
      const withFailover = (): TrackerStore =>
        new FailoverStore({
          open: () => openDexie(namespace),
          clock: systemClock,
          timers: systemTimers,
          onFailover: () => undefined,
          onRetired: () => undefined,
        });
      return { store: withFailover(), twin: withFailover() };
    },
  ],
  [
    "IndexedDbTrackerStore",
    async () => {
      const namespace = `contract-${++databases}`;
      return { store: await openDexie(namespace), twin: await openDexie(namespace) };
    },
  ],
];

describe.each(STORES)("%s", (_, open) => {
  test("a new store holds nothing", async () => {
    const { store } = await open();
    expect(await store.read()).toEqual(emptyRecord());
    expect(await inspectAll(store)).toEqual([]);
    expect(await store.readDefinitions()).toBeNull();
    expect((await store.readWaiting([ANNA, BEN], 10)).rows).toEqual([]);
    expect((await store.readWaiting([], 10)).rows).toEqual([]);
    const seen = await store.commit(
      {
        pages: ["p"],
        liveChat: ["c"],
        waiting: { profile: ANNA, from: 1, to: 9 },
        rejected: { after: 0, limit: 9 },
      },
      (snapshot) => ({ change: {}, result: snapshot }),
    );
    expect(seen).toEqual({
      record: emptyRecord(),
      pages: new Map(),
      retired: new Set(),
      waitingSeqs: [],
      rejected: [],
    });
  });

  test("what a decision changes is there for the next one, in every instance", async () => {
    const { store, twin } = await open();
    const processed = { ...noProcessedCommands("p"), decidedUpTo: 3, decidedBeyond: [5], touchedAt: NOW };
    const record = {
      ...emptyRecord(),
      nextSeq: 7,
      session: { id: "s", startedAt: NOW, lastActivityAt: NOW + 1, expiresAt: NOW + 2 },
      selections: [{ profile: BEN, selectedAt: NOW, merges: false }],
      delivery: { failures: 2, refusedAlone: 0, retry: { decidedAt: NOW, nextAt: NOW + 5 } },
      lease: { holder: "h", takenAt: NOW, expiresAt: NOW + 60_000 },
    };
    await put(store, { record, pages: [processed], retire: ["c"], put: [row(1), row(2, BEN, "rejected")] });
    const seen = await twin.commit({ pages: ["p", "q"], liveChat: ["c", "d"] }, (snapshot) => ({
      change: {},
      result: snapshot,
    }));
    expect(seen.record).toEqual(record);
    expect(seen.pages).toEqual(new Map([["p", processed]]));
    expect(seen.retired).toEqual(new Set(["c"]));
    expect(await inspectAll(twin)).toEqual([row(1), row(2, BEN, "rejected")]);
  });

  test("commit answers what the decision answers", async () => {
    const { store } = await open();
    expect(await store.commit({}, () => ({ change: {}, result: 42 }))).toBe(42);
  });

  test("a decision that throws changes nothing and rejects", async () => {
    const { store } = await open();
    await putRows(store, [row(1)]);
    const failed = store.commit({}, () => {
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect(seqs(await inspectAll(store))).toEqual([1]);
    await put(store, { put: [row(2)] });
    expect(seqs(await inspectAll(store))).toEqual([1, 2]);
  });

  test("commits of two instances come one after the other", async () => {
    const { store, twin } = await open();
    const results = await Promise.all(Array.from({ length: 40 }, (_, n) => appendRow(n % 2 ? store : twin)));
    expect(results.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
    expect(await inspectAll(store)).toHaveLength(40);
  });

  test("of several profiles, the rows of that one come whose waiting row is first", async () => {
    const { store } = await open();
    await putRows(store, [row(1, ANNA, "rejected"), row(2, BEN), row(3, ANNA), row(4, BEN), row(5, ANNA)]);
    expect(seqs((await store.readWaiting([ANNA, BEN], 10)).rows)).toEqual([2, 4]);
    expect(seqs((await store.readWaiting([ANNA, BEN], 1)).rows)).toEqual([2]);
    expect(seqs((await store.readWaiting([ANNA], 10)).rows)).toEqual([3, 5]);
    expect((await store.readWaiting([{ kind: "lead", id: "ben" }], 10)).rows).toEqual([]);
  });

  test("waiting rows come with the record of their moment, which nobody changes in between", async () => {
    const { store, twin } = await open();
    const numbered = async (): Promise<boolean> => {
      const { record, rows: waiting } = await store.readWaiting([ANNA, BEN], 100);
      return record.nextSeq === waiting.length + 1;
    };
    const seen = await Promise.all(
      Array.from({ length: 40 }, (_, n) => (n % 2 ? appendRow(twin).then(() => true) : numbered())),
    );
    expect(seen).not.toContain(false);
  });

  test("waiting rows are read on after a seq, which itself is not read", async () => {
    const { store } = await open();
    await putRows(store, [row(1), row(2, BEN), row(3, ANNA, "rejected"), row(4), row(5, BEN), row(6)]);
    const after = async (profiles: Profile[], seq: number, limit = 10) =>
      seqs((await store.readWaiting(profiles, limit, seq)).rows);
    expect(await after([ANNA], 1)).toEqual([4, 6]);
    expect(await after([ANNA], 1, 1)).toEqual([4]);
    expect(await after([ANNA, BEN], 1)).toEqual([2, 5]);
    expect(await after([ANNA, BEN], 4)).toEqual([5]);
    expect(await after([ANNA, BEN], 6)).toEqual([]);
  });

  test("waiting rows are counted up to a seq, which itself does not count", async () => {
    const { store } = await open();
    await putRows(store, [...rows(1, 5), row(6, BEN), row(7, ANNA, "rejected"), row(8)]);
    expect(await store.countWaiting(ANNA, 5)).toBe(4);
    expect(await store.countWaiting(ANNA, Infinity)).toBe(6);
    expect(await store.countWaiting(BEN, 6)).toBe(0);
  });

  test("a decision sees which of a profile's rows between two seqs, both included, wait", async () => {
    const { store } = await open();
    await putRows(store, [...rows(1, 4), row(5, BEN), row(6, ANNA, "rejected"), ...rows(7, 9)]);
    const waiting = async (from: number, to: number) =>
      store.commit({ waiting: { profile: ANNA, from, to } }, ({ waitingSeqs }) => ({
        change: {},
        result: waitingSeqs,
      }));
    expect(await waiting(2, 8)).toEqual([2, 3, 4, 7, 8]);
    expect(await waiting(0, Infinity)).toEqual([1, 2, 3, 4, 7, 8, 9]);
    expect(await waiting(5, 6)).toEqual([]);
  });

  test("rows are removed as a gapless range and with gaps, and no neighbour with them", async () => {
    const { store } = await open();
    await putRows(store, rows(1, 20));
    await put(store, { remove: [5, 6, 7, 8] });
    await put(store, { remove: [1, 3, 10] });
    await put(store, { remove: [20] });
    await put(store, { remove: [] });
    await put(store, { remove: [99] });
    expect(seqs(await inspectAll(store))).toEqual([2, 4, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test("a row that is put again takes its new state and keeps its place", async () => {
    const { store } = await open();
    await putRows(store, rows(1, 3));
    const error = { code: 1, name: "n", message: "m", origin: "people-service", platform: "fe-snippet" };
    const rejected: OutboxRow = { ...row(2), state: "rejected", error };
    await put(store, { put: [rejected] });
    expect(await inspectAll(store)).toEqual([row(1), rejected, row(3)]);
    expect(seqs((await store.readWaiting([ANNA], 10)).rows)).toEqual([1, 3]);
  });

  test.each([undefined, "waiting"] as const)("inspect of the state %s takes any limit", async (state) => {
    const { store } = await open();
    await putRows(store, [row(1, ANNA), row(2, ANNA)]);
    const count = async (limit: number) =>
      (await store.inspect({ ...(state && { state }), after: 0, limit })).length;
    expect([await count(0), await count(1), await count(Number.MAX_SAFE_INTEGER)]).toEqual([0, 1, 2]);
  });

  test("inspect pages through the rows by state over all profiles, in the order of seq", async () => {
    const { store } = await open();
    const all = Array.from({ length: 30 }, (_, n) =>
      row(n + 1, n % 3 === 0 ? BEN : ANNA, n % 2 === 0 ? "waiting" : "rejected"),
    );
    await putRows(store, all);
    for (const state of ["waiting", "rejected", undefined] as const) {
      const expected = all.filter((one) => !state || one.state === state);
      const pages: OutboxRow[] = [];
      for (let after = 0; ;) {
        const page = await store.inspect({ ...(state && { state }), after, limit: 4 });
        expect(page.length).toBeLessThanOrEqual(4);
        pages.push(...page);
        const last = page.at(-1);
        if (!last) break;
        after = last.seq;
      }
      expect(pages).toEqual(expected);
    }
  });

  test("a decision sees the rejected rows after a seq", async () => {
    const { store } = await open();
    await putRows(store, [...rows(1, 3, ANNA, "rejected"), row(4), row(5, BEN, "rejected")]);
    const rejected = await store.commit({ rejected: { after: 1, limit: 2 } }, (snapshot) => ({
      change: {},
      result: seqs(snapshot.rejected),
    }));
    expect(rejected).toEqual([2, 3]);
  });

  test("erase clears pages, outbox and definitions, and keeps retired ids and what comes with it", async () => {
    const { store } = await open();
    await put(store, { pages: [noProcessedCommands("p")], retire: ["old"], put: rows(1, 3) });
    await store.writeDefinitions({ version: "1", definitions: [] });
    const record = { ...emptyRecord(), generation: 2 };
    await put(store, { erase: true, record, retire: ["new"], put: [row(4)] });
    const seen = await store.commit({ pages: ["p"], liveChat: ["old", "new"] }, (snapshot) => ({
      change: {},
      result: snapshot,
    }));
    expect(seen.record.generation).toBe(2);
    expect(seen.pages.size).toBe(0);
    expect(seen.retired).toEqual(new Set(["old", "new"]));
    expect(seqs(await inspectAll(store))).toEqual([4]);
    expect(await store.readDefinitions()).toBeNull();
  });

  test("definitions are kept with their ETag", async () => {
    const { store, twin } = await open();
    const definitions = {
      version: "2",
      etag: '"2"',
      definitions: [{ id: "action", properties: { startedAt: "datetime" as const } }],
    };
    await store.writeDefinitions(definitions);
    expect(await twin.readDefinitions()).toEqual(definitions);
  });

  test("pages that were last heard of before an instant are forgotten", async () => {
    const { store } = await open();
    await put(store, {
      pages: [pageMarks("old", NOW - 1), pageMarks("edge", NOW), pageMarks("new", NOW + 1)],
    });
    await store.forgetPages(NOW);
    const known = await store.commit({ pages: ["old", "edge", "new"] }, ({ pages }) => ({
      change: {},
      result: [...pages.keys()],
    }));
    expect(known).toEqual(["edge", "new"]);
  });
});

describe("the store in IndexedDB", () => {
  test("in IndexedDB, rows stand as the public type says, and times as people read them", async () => {
    const namespace = `contract-${++databases}`;
    const store = await openDexie(namespace);
    const record = {
      ...emptyRecord(),
      session: { id: "s", startedAt: NOW, lastActivityAt: NOW, expiresAt: NOW + 1 },
      pastSessions: [{ id: "r", startedAt: NOW, lastActivityAt: NOW, expiresAt: NOW, endedAt: NOW }],
      lease: { holder: "h", takenAt: NOW, expiresAt: NOW + 60_000 },
    };
    const error = { code: 1, name: "n", message: "m", origin: "people-service", platform: "fe-snippet" };
    await put(store, {
      record,
      pages: [{ ...noProcessedCommands("p"), touchedAt: NOW }],
      put: [{ ...row(1), error }],
    });
    const raw = new Dexie(`people-tracking:${namespace}`);
    await raw.open();
    expect(await raw.table("outbox").toArray()).toEqual([
      {
        seq: 1,
        id: "page-1",
        type: "event",
        state: "waiting",
        profile: { kind: "lead", id: "anna" },
        sessionId: "s",
        occurredAt: "2026-01-05T12:00:00.000Z",
        error,
        // Exactly what goes over the wire: what a site named so is no time of ours.
        operation: { id: "page-1", type: "event", properties: { lookedAt: 5 } },
      },
    ]);
    const at = "2026-01-05T12:00:00.000Z";
    const [stored] = await raw.table("tracker").toArray();
    expect(stored).toMatchObject({
      session: { startedAt: at, lastActivityAt: at, expiresAt: "2026-01-05T12:00:00.001Z" },
      pastSessions: [{ endedAt: at }],
      lease: { takenAt: at },
    });
    expect(await raw.table("pages").toArray()).toMatchObject([{ pageId: "p", touchedAt: at }]);
    raw.close();
  });

  test("what one instance wrote is there after all were closed", async () => {
    const namespace = `contract-${++databases}`;
    const first = await openDexie(namespace);
    await putRows(first, rows(1, 3));
    first.close();
    const second = await openDexie(namespace);
    expect(seqs((await second.readWaiting([ANNA], 10)).rows)).toEqual([1, 2, 3]);
  });
});
