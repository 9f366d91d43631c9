/** What the tracker does on a disk that fails: every wait ends, nothing is lost in silence, nothing is kept twice. */
import "fake-indexeddb/auto";
import { afterEach, expect, test } from "vitest";
import type { OutboxRow } from "../../src/protocol/api.js";
import type { CommandAnswer } from "../../src/protocol/host.js";
import { SESSION_TIMEOUT_MS } from "../../src/protocol/wire.js";
import { Tracker } from "../../src/core/tracker.js";
import { emptyRecord } from "../../src/core/tracker-record.js";
import type { EnduringTrackerStore } from "../../src/adapters/enduring-tracker-store.js";
import { FaultyDisk, domError, once } from "./faulty-disk.js";

let databases = 0;
const disks: FaultyDisk[] = [];
afterEach(() => {
  for (const disk of disks.splice(0)) disk.close();
});

const CONNECTION = {
  host: "shared",
  endpoint: "https://people.test",
  apiKey: "key",
  globalPrivacyControl: false,
} as const;
const STORED = [{ n: 1 }];

/** A tracker whose service is out of reach, so that everything stays where it can be looked at. */
const trackerOn = (store: EnduringTrackerStore, disk: FaultyDisk, id: string): Tracker => {
  let uuids = 0;
  return new Tracker(
    {
      clock: { now: () => disk.time.now },
      timers: { after: (delayMs, callback) => disk.time.after(delayMs, callback) },
      ids: { uuid: () => `${id}-uuid-${++uuids}`, sessionId: () => `${id}session${++uuids}` },
      random: () => 0.5,
      store,
      transport: { send: () => Promise.resolve({ status: 0 }), abortAll: () => undefined },
      lock: { exclusive: false, tryHold: () => Promise.resolve({ release: () => undefined }) },
      changes: { announce: () => undefined, listen: () => () => undefined },
    },
    id,
    () => undefined,
  );
};

const setUp = (arrange: (disk: FaultyDisk) => void = () => undefined) => {
  const disk = new FaultyDisk(`trouble-${++databases}`);
  disks.push(disk);
  arrange(disk);
  const store = disk.store();
  const tracker = trackerOn(store, disk, "a");
  return { disk, store, tracker };
};

const start = async (disk: FaultyDisk, tracker: Tracker): Promise<void> => {
  await disk.wait(
    tracker.start().then(() => tracker.attach(CONNECTION)),
    10_000,
  );
};
const started = async (arrange?: (disk: FaultyDisk) => void) => {
  const setting = setUp(arrange);
  await start(setting.disk, setting.tracker);
  return setting;
};

const view = (disk: FaultyDisk, n: number) => ({
  type: "pageView" as const,
  n,
  at: disk.time.now,
  generation: 0,
  sessionTimeoutMs: SESSION_TIMEOUT_MS,
  maxWaiting: 100_000,
});
/** A call's outcome is due within 9 s. */
const track = (disk: FaultyDisk, tracker: Tracker, n: number, pageId = "page"): Promise<CommandAnswer[]> =>
  disk.wait(tracker.submit(pageId, [view(disk, n)]), 9_000);

const rowsOn = async (disk: FaultyDisk): Promise<OutboxRow[]> =>
  (await disk.direct()).inspect({ after: 0, limit: 1_000 });
const ids = (rows: readonly OutboxRow[]): string[] => rows.map(({ id }) => id);
const isHome = (disk: FaultyDisk, store: EnduringTrackerStore): Promise<void> =>
  disk.until(() => store.kind === "disk", 60_000);

test("where there is no IndexedDB, tracking goes on in memory and says so", async () => {
  const { disk, store, tracker } = await started((one) => {
    one.onOpen = () => domError("MissingAPIError");
  });
  expect(await track(disk, tracker, 1)).toEqual(STORED);
  expect(store.kind).toBe("memory");
  const { state } = await tracker.state("shared");
  expect(state).toMatchObject({ storage: "memory", outbox: { waiting: 2 }, profile: { kind: "visitor" } });
});

test("an open that never answers ends in memory before the page gives its host up", async () => {
  const { disk, tracker } = setUp((one) => {
    one.onOpen = () => "hang";
  });
  await disk.wait(
    tracker.start().then(() => tracker.attach(CONNECTION)),
    2_900,
  );
  expect(await track(disk, tracker, 1)).toEqual(STORED);
  expect((await tracker.state("shared")).state.storage).toBe("memory");
  // Asked once: further ones would only stand behind it.
  await disk.time.advance(120_000);
  expect(disk.opens).toBe(1);
});

test("an open that answers late takes what memory held to disk, once", async () => {
  const { disk, store, tracker } = await started((one) => {
    one.onOpen = () => "late";
  });
  await track(disk, tracker, 1);
  disk.release();
  await isHome(disk, store);
  await track(disk, tracker, 2);
  const rows = await rowsOn(disk);
  expect(ids(rows)).toEqual([expect.stringMatching(/^s-/), "page-1", "page-2"]);
  const { state } = await tracker.state("shared");
  expect(state).toMatchObject({ storage: "disk", outbox: { waiting: 3 } });
  expect(new Set(rows.map(({ sessionId }) => sessionId)).size).toBe(1);
});

test("a database that opens and runs no transaction is left for memory, and opened anew until it does", async () => {
  const { disk, store, tracker } = await started((one) => {
    one.onCall = () => "hang";
  });
  expect(await track(disk, tracker, 1)).toEqual(STORED);
  await disk.time.advance(30_000);
  expect(store.kind).toBe("memory");
  expect(disk.opens).toBeGreaterThan(2);
  disk.heal();
  await isHome(disk, store);
  expect(ids(await rowsOn(disk))).toEqual([expect.stringMatching(/^s-/), "page-1"]);
});

test("a transaction behind a frozen worker's is given up, and can decide nothing when its turn comes", async () => {
  const { disk, store, tracker } = await started();
  await track(disk, tracker, 1);
  disk.onCall = () => "late";
  expect(await track(disk, tracker, 2)).toEqual([{ n: 2 }]);
  // Sent again, by a page that took the host for dead: its number is known here too.
  expect(await track(disk, tracker, 1)).toEqual(STORED);
  const { state } = await tracker.state("shared");
  expect(state).toMatchObject({ storage: "memory", outbox: { waiting: 3 } });
  disk.heal();
  disk.release();
  await isHome(disk, store);
  const rows = await rowsOn(disk);
  expect(ids(rows)).toEqual([expect.stringMatching(/^s-/), "page-1", "page-2"]);
  expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect((await tracker.state("shared")).state.outbox.waiting).toBe(3);
});

test("what waits on a disk that fell silent counts as waiting, and no flush takes it for settled", async () => {
  const { disk, store, tracker } = await started();
  await track(disk, tracker, 1);
  disk.onCall = () => "hang";
  await track(disk, tracker, 2);
  expect(store.kind).toBe("memory");
  expect((await tracker.state("shared")).state.outbox.waiting).toBe(3);
  const flushed = tracker.flush(8_000);
  expect(await disk.wait(flushed, 9_000)).toBe(3);
  disk.heal();
  await isHome(disk, store);
  expect((await tracker.state("shared")).state.outbox.waiting).toBe(3);
});

test("a commit that happened without a word is not kept twice", async () => {
  const { disk, store, tracker } = await started();
  disk.onCall = once("unheard");
  expect(await track(disk, tracker, 1)).toEqual(STORED);
  expect(store.kind).toBe("memory");
  await isHome(disk, store);
  const rows = await rowsOn(disk);
  expect(rows.filter(({ id }) => id === "page-1")).toHaveLength(1);
  expect(new Set(rows.map(({ sessionId }) => sessionId)).size).toBe(1);
});

test("what was rejected and waits again, perhaps, stays the disk's and comes home to it no second time", async () => {
  const { disk, tracker } = await started();
  await track(disk, tracker, 1);
  const store = disk.store();
  const other = trackerOn(store, disk, "b");
  await start(disk, other);
  const direct = await disk.direct();
  const row = (await rowsOn(disk)).find(({ id }) => id === "page-1")!;
  await direct.commit({}, ({ record }) => {
    const lanes = record.lanes.map((queue) => ({ ...queue, waiting: queue.waiting - 1, rejected: 1 }));
    return { change: { record: { ...record, lanes }, put: [{ ...row, state: "rejected" }] }, result: null };
  });
  disk.onCall = () => "unheard";
  await disk.wait(other.retryRejected(), 9_000);
  expect(store.kind).toBe("memory");
  disk.heal();
  await isHome(disk, store);
  expect(ids(await rowsOn(disk)).filter((id) => id === "page-1")).toHaveLength(1);
});

test("a lost connection is opened again, and what it had stored is not stored twice", async () => {
  const { disk, store, tracker } = await started();
  await track(disk, tracker, 1);
  const opens = disk.opens;
  disk.onCall = once("lost");
  expect(await track(disk, tracker, 2)).toEqual([{ n: 2 }]);
  disk.onCall = once(domError("InvalidStateError"));
  expect(await track(disk, tracker, 3)).toEqual([{ n: 3 }]);
  expect(disk.opens).toBe(opens + 2);
  expect(store.kind).toBe("disk");
  expect(ids(await rowsOn(disk))).toEqual([expect.stringMatching(/^s-/), "page-1", "page-2", "page-3"]);
});

test("a full disk is told with what to do, stores nothing by half, and is used again when there is room", async () => {
  const { disk, store, tracker } = await started();
  disk.onCall = () => domError("QuotaExceededError");
  const [answer] = await track(disk, tracker, 1);
  expect(answer).toMatchObject({
    error: { code: 2016, message: expect.stringContaining("free some space and call again") },
  });
  disk.heal();
  expect(store.kind).toBe("disk");
  expect(await rowsOn(disk)).toEqual([]);
  expect(await track(disk, tracker, 1)).toEqual(STORED);
});

test("an emptied database gets a new visitor, and the way to the service, consent and definitions back", async () => {
  const { disk, store, tracker } = await started();
  await track(disk, tracker, 1);
  await store.writeDefinitions({ version: "7", definitions: [] });
  const before = await store.read();
  const direct = await disk.direct();
  await direct.commit({}, () => ({ change: { erase: true, record: emptyRecord() }, result: null }));
  expect((await store.read()).connection).toEqual(before.connection);
  expect(await track(disk, tracker, 2)).toEqual([{ n: 2 }]);
  const after = await direct.read();
  expect(after.connection).toEqual(before.connection);
  expect(after.visitor?.id).not.toBe(before.visitor?.id);
  // What was on its way to the service must not be taken for what has its number now.
  expect(after.nextSeq).toBeGreaterThan(before.nextSeq);
  await disk.until(async () => (await direct.readDefinitions())?.version === "7");
});

test("who was known before the database was emptied is forgotten by a host in memory too, which loses no row", async () => {
  const { disk, store, tracker } = await started();
  await track(disk, tracker, 1);
  const before = await store.read();
  disk.onCall = () => "hang";
  await track(disk, tracker, 2);
  disk.heal();
  const direct = await disk.direct();
  await direct.commit({}, () => ({ change: { erase: true, record: emptyRecord() }, result: null }));
  await isHome(disk, store);
  const ended = `e-${before.session?.id}`;
  expect(ids(await rowsOn(disk))).toEqual(["page-2", ended]);
  const after = await store.read();
  expect(after).toMatchObject({ connection: before.connection, visitor: null, session: null });
  // What was on its way to the service must not be taken for what has its number now.
  expect((await rowsOn(disk))[0]?.seq).toBeGreaterThan(before.nextSeq + 1_000_000);
  await track(disk, tracker, 3);
  const { visitor, session } = await direct.read();
  expect(visitor).not.toBeNull();
  expect(visitor?.id).not.toBe(before.visitor?.id);
  expect(session?.id).not.toBe(before.session?.id);
});

test("what was erased before the database was deleted stays so after an erase that came later", async () => {
  const { disk, tracker } = await started();
  await disk.wait(tracker.erase());
  const { generation } = await tracker.state("shared");
  const erased = { ...view(disk, 1), generation };
  const direct = await disk.direct();
  await direct.commit({}, () => ({ change: { erase: true, record: emptyRecord() }, result: null }));
  const other = trackerOn(disk.store(), disk, "b");
  await start(disk, other);
  await disk.time.advance(1);
  await disk.wait(other.erase());
  expect(await disk.wait(other.submit("page", [erased]))).toMatchObject([
    { n: 1, error: { message: expect.stringContaining("erased") as string } },
  ]);
  expect(await rowsOn(disk)).toEqual([]);
});

test("an opt-out made in memory holds on disk, and one that the disk remembers holds in memory's rows", async () => {
  const { disk, store, tracker } = await started();
  disk.onCall = () => "hang";
  await disk.wait(tracker.setConsent("out"), 9_000);
  disk.heal();
  await isHome(disk, store);
  expect((await store.read()).consent).toBe("out");

  const other = disk.store();
  disk.onOpen = () => "late";
  const late = trackerOn(other, disk, "b");
  await start(disk, late);
  await track(disk, late, 1, "other");
  disk.heal();
  disk.release();
  await isHome(disk, other);
  expect((await other.read()).consent).toBe("out");
  expect(ids(await rowsOn(disk))).toContain("other-1");
});

test("an erase made in memory erases the disk, and one made on disk erases what memory held", async () => {
  const { disk, store, tracker } = await started();
  await track(disk, tracker, 1);
  disk.onCall = () => "hang";
  await disk.wait(tracker.erase(), 9_000);
  disk.heal();
  await isHome(disk, store);
  expect(await rowsOn(disk)).toEqual([]);
  const { generation } = await store.read();
  expect(generation).toBeGreaterThan(0);

  disk.onCall = () => "hang";
  const command = { ...view(disk, 2), generation };
  await disk.wait(tracker.submit("page", [command]), 9_000);
  disk.heal();
  const another = trackerOn(disk.store(), disk, "b");
  await start(disk, another);
  await disk.wait(another.erase());
  await isHome(disk, store);
  expect(await rowsOn(disk)).toEqual([]);
});

test("a host that began in memory beside another's session ends its own and brings every row", async () => {
  const { disk, tracker } = await started();
  await track(disk, tracker, 1);
  disk.onOpen = () => "late";
  const store = disk.store();
  const late = trackerOn(store, disk, "b");
  await start(disk, late);
  await track(disk, late, 1, "other");
  const own = (await store.read()).session?.id;
  disk.heal();
  disk.release();
  await isHome(disk, store);
  const rows = await rowsOn(disk);
  expect(ids(rows)).toEqual([
    expect.stringMatching(/^s-asession/),
    "page-1",
    `s-${own}`,
    "other-1",
    `e-${own}`,
  ]);
  expect((await store.read()).session?.id).toMatch(/^asession/);
  expect((await late.state("shared")).state.outbox.waiting).toBe(5);
});

test("what is accepted while memory moves to disk is neither lost nor doubled", async () => {
  const { disk, store, tracker } = await started((one) => {
    one.onOpen = () => "late";
  });
  await track(disk, tracker, 1);
  let n = 1;
  const answers: Promise<CommandAnswer[]>[] = [];
  // Out of the transaction's own turn, as a page's message comes: while it is at work.
  disk.onDecided = () =>
    void setImmediate(() => {
      while (n < 5) answers.push(tracker.submit("page", [view(disk, ++n)]));
    });
  disk.release();
  await isHome(disk, store);
  await disk.wait(Promise.all(answers));
  expect(n).toBe(5);
  const numbers = ids(await rowsOn(disk)).filter((id) => id.startsWith("page-"));
  expect(numbers).toEqual(Array.from({ length: n }, (_, index) => `page-${index + 1}`));
});

test("a page that comes while memory waits for its move is asked of the disk too", async () => {
  const { disk, store, tracker } = await started();
  const other = trackerOn(disk.store(), disk, "b");
  await start(disk, other);
  await track(disk, other, 1, "late page");
  disk.onCall = () => "hang";
  await track(disk, tracker, 1);
  expect(store.kind).toBe("memory");
  let isAsked = false;
  disk.onCall = () => {
    isAsked = true;
    return "late";
  };
  await disk.until(() => isAsked);
  // Its old host was left behind, and whether that had decided is not known to the page.
  expect(await track(disk, tracker, 1, "late page")).toEqual(STORED);
  disk.heal();
  disk.release();
  await isHome(disk, store);
  expect(ids(await rowsOn(disk)).filter((id) => id === "late page-1")).toHaveLength(1);
});

test("a second memory numbers on from the first, whose rows may be on their way to the service", async () => {
  const { disk, store, tracker } = await started();
  const numbersInMemory = async (n: number): Promise<number[]> => {
    disk.onCall = () => "hang";
    await track(disk, tracker, n);
    await track(disk, tracker, n + 1);
    const numbers = (await store.inspect({ after: 0, limit: 9 })).map(({ seq }) => seq);
    // Delivered: the disk never hears of these numbers.
    await store.commit({}, ({ record }) => ({
      change: { record: { ...record, lanes: [] }, remove: numbers },
      result: null,
    }));
    disk.heal();
    await isHome(disk, store);
    return numbers;
  };
  const first = await numbersInMemory(1);
  const second = await numbersInMemory(3);
  expect(Math.min(...second)).toBeGreaterThan(Math.max(...first));
});

test("a machine that slept does not take the disk for silent", async () => {
  const { disk, store } = await started();
  disk.onCall = once("late");
  const reading = store.read();
  disk.time.now += 24 * 60 * 60 * 1000;
  await disk.time.advance(500);
  disk.release();
  await disk.wait(reading);
  expect(store.kind).toBe("disk");
});

test("what a late open lets be read is no history to a host that began in memory", async () => {
  const { disk, tracker } = await started();
  await track(disk, tracker, 1);
  const before = (await (await disk.direct()).read()).visitor?.id;
  disk.onOpen = () => "late";
  const store = disk.store();
  // Asked for now, and answered once the database opens; what memory holds comes to the disk after that.
  const reading = store.read();
  const late = trackerOn(store, disk, "b");
  await start(disk, late);
  await disk.wait(reading);
  await track(disk, late, 1, "other");
  disk.heal();
  disk.release();
  await isHome(disk, store);
  expect((await store.read()).visitor?.id).toBe(before);
});

test("an erase of which nobody knows whether it happened comes to the disk", async () => {
  const { disk, store, tracker } = await started();
  await track(disk, tracker, 1);
  disk.onCall = once("undone");
  await disk.wait(tracker.erase(), 9_000);
  expect(store.kind).toBe("memory");
  await isHome(disk, store);
  expect(await rowsOn(disk)).toEqual([]);
  expect((await store.read()).generation).toBeGreaterThan(0);
});

test("a Live Chat session that was over stays so in memory", async () => {
  const { disk, store, tracker } = await started();
  const session = { id: "chat", kind: "lead", personId: "lead", token: "token" } as const;
  const told = (n: number, change: { session: typeof session | null; left?: string }) =>
    disk.wait(
      tracker.submit("page", [{ type: "liveChat", n, at: disk.time.now, generation: 0, ...change }]),
      9_000,
    );
  await track(disk, tracker, 1);
  await told(2, { session });
  await told(3, { session: null, left: "chat" });
  disk.onCall = () => "hang";
  await track(disk, tracker, 4);
  expect(store.kind).toBe("memory");
  await told(5, { session });
  expect((await store.read()).visitor).not.toBeNull();
});
