/** What the tracker does on a disk that fails: every wait ends, nothing is lost in silence, nothing is kept twice. */
import "fake-indexeddb/auto";
import { afterEach, describe, expect, test } from "vitest";
import type { OutboxRow } from "../../src/protocol/api.js";
import type { CommandAnswer } from "../../src/protocol/host.js";
import { SESSION_TIMEOUT_MS } from "../../src/protocol/wire.js";
import { trackingError } from "../../src/core/errors.js";
import type { WireAnswer } from "../../src/core/ports.js";
import { emptyRecord } from "../../src/core/tracker-record.js";
import { FaultyDisk, domError, once } from "./faulty-disk.js";
import { Host } from "./host-on-disk.js";

let databases = 0;
const disks: FaultyDisk[] = [];
afterEach(() => {
  for (const disk of disks.splice(0)) disk.close();
});

const STORED = [{ n: 1 }];

const diskWith = (arrange: (disk: FaultyDisk) => void = () => undefined): FaultyDisk => {
  const disk = new FaultyDisk(`trouble-${++databases}`);
  disks.push(disk);
  arrange(disk);
  return disk;
};

const startOn = async (disk: FaultyDisk, id: string): Promise<Host> => {
  const host = new Host(disk, id);
  await disk.wait(host.start(), 10_000);
  return host;
};
const started = async (arrange?: (disk: FaultyDisk) => void) => {
  const disk = diskWith(arrange);
  return { disk, host: await startOn(disk, "a") };
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
const track = (disk: FaultyDisk, { tracker }: Host, n: number, pageId = "page"): Promise<CommandAnswer[]> =>
  disk.wait(tracker.submit(pageId, [view(disk, n)]), 9_000);

const rowsOn = async (disk: FaultyDisk): Promise<OutboxRow[]> =>
  (await disk.direct()).inspect({ after: 0, limit: 1_000 });
const ids = (rows: readonly OutboxRow[]): string[] => rows.map(({ id }) => id);
const START = expect.stringMatching(/^s-/) as string;

describe("failover", () => {
  test("goes on in memory where there is no IndexedDB, and says so", async () => {
    const { disk, host } = await started((one) => {
      one.onOpen = () => domError("MissingAPIError");
    });
    expect(await track(disk, host, 1)).toEqual(STORED);
    const { state } = await host.tracker.state();
    expect(state).toMatchObject({ storage: "memory", outbox: { waiting: 2 }, profile: { kind: "visitor" } });
  });

  test("gives an open that never answers up before the page gives its host up, and opens no second time", async () => {
    const disk = diskWith((one) => {
      one.onOpen = () => "hang";
    });
    const host = new Host(disk, "a");
    await disk.wait(host.start(), 2_900);
    expect(await track(disk, host, 1)).toEqual(STORED);
    expect((await host.tracker.state()).state.storage).toBe("memory");
    // Further ones would only stand behind it.
    await disk.time.advance(120_000);
    expect(disk.opens).toBe(1);
  });

  test("opens a database that runs no transaction anew until it does", async () => {
    const { disk, host } = await started((one) => {
      one.onCall = () => "hang";
    });
    expect(await track(disk, host, 1)).toEqual(STORED);
    await disk.time.advance(30_000);
    expect(host.store.kind).toBe("memory");
    expect(disk.opens).toBeGreaterThan(2);
    disk.heal();
    await host.retired();
    expect(ids(await rowsOn(disk))).toEqual([START, "page-1"]);
  });

  test("gives a transaction behind a suspended worker's up, which can decide nothing when its turn comes", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    disk.onCall = () => "late";
    expect(await track(disk, host, 2)).toEqual([{ n: 2 }]);
    // Sent again, by a page that considered the host failed.
    expect(await track(disk, host, 1)).toEqual(STORED);
    expect((await host.tracker.state()).state.storage).toBe("memory");
    disk.heal();
    disk.release();
    await host.retired();
    const rows = await rowsOn(disk);
    expect(ids(rows)).toEqual([START, "page-1", "page-2"]);
    expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(new Set(rows.map(({ sessionId }) => sessionId)).size).toBe(1);
  });

  test("keeps a commit that happened unheard once", async () => {
    const { disk, host } = await started();
    disk.onCall = once("unheard");
    expect(await track(disk, host, 1)).toEqual(STORED);
    expect(host.store.kind).toBe("memory");
    await host.retired();
    const rows = await rowsOn(disk);
    expect(ids(rows)).toEqual([START, "page-1"]);
    expect(new Set(rows.map(({ sessionId }) => sessionId)).size).toBe(1);
  });

  test("leaves rows that a commit in doubt has changed to the disk", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    const other = await startOn(disk, "b");
    const direct = await disk.direct();
    const row = (await rowsOn(disk)).find(({ id }) => id === "page-1")!;
    await direct.commit({}, ({ record }) => {
      const lanes = record.lanes.map((queue) => ({ ...queue, waiting: queue.waiting - 1, rejected: 1 }));
      return { change: { record: { ...record, lanes }, put: [{ ...row, state: "rejected" }] }, result: null };
    });
    disk.onCall = () => "unheard";
    await disk.wait(other.tracker.retryRejected(), 9_000);
    expect(other.store.kind).toBe("memory");
    disk.heal();
    await other.retired();
    expect(ids(await rowsOn(disk)).filter((id) => id === "page-1")).toHaveLength(1);
  });

  test("opens a lost connection again, and stores no duplicates", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    const opens = disk.opens;
    disk.onCall = once("lost");
    expect(await track(disk, host, 2)).toEqual([{ n: 2 }]);
    disk.onCall = once(domError("InvalidStateError"));
    expect(await track(disk, host, 3)).toEqual([{ n: 3 }]);
    expect(disk.opens).toBe(opens + 2);
    expect(host.store.kind).toBe("disk");
    expect(ids(await rowsOn(disk))).toEqual([START, "page-1", "page-2", "page-3"]);
  });

  test("does not take a machine that slept for a stalled disk", async () => {
    const { disk, host } = await started();
    disk.onCall = once("late");
    const reading = host.store.read();
    disk.time.now += 24 * 60 * 60 * 1000;
    await disk.time.advance(500);
    disk.release();
    await disk.wait(reading);
    expect(host.store.kind).toBe("disk");
  });

  test("keeps a Live Chat session that is over retired in memory, and on the disk afterwards", async () => {
    const { disk, host } = await started();
    const session = { id: "chat", kind: "lead", personId: "lead", token: "token" } as const;
    const told = (n: number, change: { session: typeof session | null; left?: string }) =>
      disk.wait(
        host.tracker.submit("page", [{ type: "liveChat", n, at: disk.time.now, generation: 0, ...change }]),
        9_000,
      );
    await track(disk, host, 1);
    await told(2, { session });
    disk.onCall = () => "hang";
    await told(3, { session: null, left: "chat" });
    expect(host.store.kind).toBe("memory");
    await told(4, { session });
    expect((await host.store.read()).visitor).not.toBeNull();
    disk.heal();
    await host.retired();
    await told(5, { session });
    expect(await host.store.read()).toMatchObject({
      liveChat: null,
      visitor: { id: expect.any(String) as string },
    });
  });
});

describe("a value that cannot be stored", () => {
  test("is reported, and is no failure of the disk", async () => {
    const { disk, host } = await started();
    const unstorable = { version: "1", definitions: [() => undefined] } as never;
    await expect(disk.wait(host.store.writeDefinitions(unstorable))).rejects.toThrow("could not be cloned");
    expect(host.store.kind).toBe("disk");
  });
});

describe("a full disk", () => {
  test("is reported with what to do, stores nothing by half, and is used again when there is room", async () => {
    const { disk, host } = await started();
    disk.onCall = () => domError("QuotaExceededError");
    const [answer] = await track(disk, host, 1);
    expect(answer).toMatchObject({
      error: { code: 2016, message: expect.stringContaining("free some space and call again") as string },
    });
    disk.heal();
    expect(host.store.kind).toBe("disk");
    expect(await rowsOn(disk)).toEqual([]);
    expect(await track(disk, host, 1)).toEqual(STORED);
  });
});

describe("retirement", () => {
  test("writes what cannot be sent to the disk, where a new host goes on with the same visitor and session", async () => {
    const { disk, host } = await started((one) => {
      one.onOpen = () => "late";
    });
    await track(disk, host, 1);
    const { visitor } = await host.store.read();
    disk.heal();
    disk.release();
    await host.retired();
    await track(disk, host, 2);
    const rows = await rowsOn(disk);
    expect(ids(rows)).toEqual([START, "page-1", "page-2"]);
    const { state } = await host.tracker.state();
    expect(state).toMatchObject({ storage: "disk", outbox: { waiting: 3 }, profile: { id: visitor?.id } });
    expect(new Set(rows.map(({ sessionId }) => sessionId)).size).toBe(1);
  });

  test("waits while there is something to send", async () => {
    const { disk, host } = await started();
    host.answer = () => new Promise<WireAnswer>(() => undefined);
    disk.onCall = () => "hang";
    await track(disk, host, 1);
    disk.heal();
    await disk.time.advance(60_000);
    expect([host.store.kind, host.retirements]).toEqual(["memory", 0]);
    expect(await rowsOn(disk)).toEqual([]);
  });

  test("counts in memory what waits there, and not what waits on the disk", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    disk.onCall = () => "hang";
    await track(disk, host, 2);
    expect((await host.tracker.state()).state.outbox.waiting).toBe(1);
    expect(await disk.wait(host.tracker.flush(1_000), 9_000)).toBe(1);
    disk.heal();
    await host.retired();
    expect((await host.tracker.state()).state.outbox.waiting).toBe(3);
  });

  test("keeps what was rejected in memory", async () => {
    const { disk, host } = await started();
    disk.onCall = () => "hang";
    await track(disk, host, 1);
    const [row] = await host.store.inspect({ after: 0, limit: 1 });
    const error = trackingError(2016, "people-service");
    await host.store.commit({}, ({ record }) => {
      const lanes = record.lanes.map((queue) => ({ ...queue, waiting: queue.waiting - 1, rejected: 1 }));
      return {
        change: { record: { ...record, lanes }, put: [{ ...row!, state: "rejected", error }] },
        result: null,
      };
    });
    disk.heal();
    await host.retired();
    expect(await rowsOn(disk)).toMatchObject([{ id: row?.id, state: "rejected", error }, { id: "page-1" }]);
    expect((await host.tracker.state()).state.outbox).toEqual({ waiting: 1, rejected: 1 });
    expect(await disk.wait(host.tracker.retryRejected())).toBe(1);
  });

  test("rejects calls while its closing transaction is written, so that the next host takes them once", async () => {
    const { disk, host } = await started((one) => {
      one.onOpen = () => "late";
    });
    await track(disk, host, 1);
    const { tracker } = host;
    const answers: Promise<CommandAnswer[]>[] = [];
    // Out of the transaction's own turn, as a page's message comes: while it is at work.
    disk.onDecided = () => {
      disk.onDecided = () => undefined;
      setImmediate(() => {
        for (let n = 2; n <= 5; n += 1) answers.push(tracker.submit("page", [view(disk, n)]));
      });
    };
    disk.heal();
    disk.release();
    await disk.until(() => host.retirements > 0);
    const first = (await disk.wait(Promise.all(answers))).flat();
    expect(first).toMatchObject([2, 3, 4, 5].map((n) => ({ n, undecided: true })));
    for (const { n } of first) expect(await track(disk, host, n)).toEqual([{ n }]);
    expect(ids(await rowsOn(disk))).toEqual([START, "page-1", "page-2", "page-3", "page-4", "page-5"]);
  });

  test("asks the disk about a page that came to memory meanwhile", async () => {
    const { disk, host } = await started();
    const other = await startOn(disk, "b");
    await track(disk, other, 1, "late page");
    disk.onCall = () => "hang";
    await track(disk, host, 1);
    expect(host.store.kind).toBe("memory");
    let isAsked = false;
    disk.onCall = () => {
      isAsked = true;
      return "late";
    };
    await disk.until(() => isAsked);
    // Its old host was left behind, and whether that had decided is not known to the page.
    expect(await track(disk, host, 1, "late page")).toEqual(STORED);
    disk.heal();
    disk.release();
    await host.retired();
    expect(ids(await rowsOn(disk)).filter((id) => id === "late page-1")).toHaveLength(1);
  });

  test("tries again where nobody heard that it was done, and writes nothing twice", async () => {
    const { disk, host } = await started();
    disk.onCall = () => "hang";
    await track(disk, host, 1);
    disk.onCall = once("unheard");
    await host.retired();
    const rows = await rowsOn(disk);
    expect(ids(rows).filter((id) => id === "page-1")).toHaveLength(1);
    expect((await host.store.read()).session?.id).toBe(rows[0]?.sessionId);
  });

  test("ends a session of its own beside another host's, which goes on", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    disk.onOpen = () => "late";
    const late = await startOn(disk, "b");
    await track(disk, late, 1, "other");
    const own = (await late.store.read()).session?.id;
    disk.heal();
    disk.release();
    await late.retired();
    const known = (await host.store.read()).session?.id;
    expect(ids(await rowsOn(disk))).toEqual([`s-${known}`, "page-1", `s-${own}`, "other-1", `e-${own}`]);
    expect((await late.store.read()).session?.id).toBe(known);
    expect((await late.tracker.state()).state.outbox.waiting).toBe(5);
  });

  test("takes what a late open lets be read for no history of its own", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    const before = (await (await disk.direct()).read()).visitor?.id;
    disk.onOpen = () => "late";
    const late = new Host(disk, "b");
    // Requested now, and answered once the database opens.
    const reading = late.store.read();
    await disk.wait(late.start(), 10_000);
    await disk.wait(reading);
    await track(disk, late, 1, "other");
    disk.heal();
    disk.release();
    await late.retired();
    expect((await late.store.read()).visitor?.id).toBe(before);
  });

  test("brings an opt-out to the disk, with what it keeps waiting", async () => {
    const { disk, host } = await started();
    host.answer = () => new Promise<WireAnswer>(() => undefined);
    disk.onCall = () => "hang";
    await track(disk, host, 1);
    await disk.wait(host.tracker.setConsent("out"), 9_000);
    disk.heal();
    await host.retired();
    expect((await host.store.read()).consent).toBe("out");
    expect(ids(await rowsOn(disk))).toEqual([START, "page-1"]);
  });

  test("keeps an opt-out of which the host in memory never knew", async () => {
    const { disk, host } = await started();
    await disk.wait(host.tracker.setConsent("out"), 9_000);
    disk.onOpen = () => "late";
    const late = await startOn(disk, "b");
    await track(disk, late, 1, "other");
    disk.heal();
    disk.release();
    await late.retired();
    expect((await late.store.read()).consent).toBe("out");
    expect(ids(await rowsOn(disk))).toContain("other-1");
  });

  test("erases the disk where memory was erased, though something waits to be sent", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    host.answer = () => new Promise<WireAnswer>(() => undefined);
    disk.onCall = () => "hang";
    await disk.wait(host.tracker.erase(), 9_000);
    const { generation } = await host.store.read();
    await disk.wait(host.tracker.submit("page", [{ ...view(disk, 2), generation }]), 9_000);
    disk.heal();
    await host.retired();
    expect(ids(await rowsOn(disk))).toEqual([START, "page-2"]);
    expect((await host.store.read()).generation).toBe(generation);
  });

  test("forgets what memory held where another host has erased the disk", async () => {
    const { disk, host } = await started();
    disk.onCall = () => "hang";
    await track(disk, host, 1);
    disk.heal();
    const other = await startOn(disk, "b");
    await disk.wait(other.tracker.erase());
    await host.retired();
    expect(await rowsOn(disk)).toEqual([]);
    expect((await host.store.read()).session).toBeNull();
  });

  test("brings an erase to the disk of which nobody knows whether it happened", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    disk.onCall = once("undone");
    await disk.wait(host.tracker.erase(), 9_000);
    expect(host.store.kind).toBe("memory");
    await host.retired();
    expect(await rowsOn(disk)).toEqual([]);
    expect((await host.store.read()).generation).toBeGreaterThan(0);
  });
});

const empty = async (disk: FaultyDisk): Promise<void> => {
  const direct = await disk.direct();
  await direct.commit({}, () => ({ change: { erase: true, record: emptyRecord() }, result: null }));
};

describe("an emptied database", () => {
  test("gets a new visitor, and the way to the service and the consent back", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    const before = await host.store.read();
    await empty(disk);
    expect((await host.store.read()).connection).toEqual(before.connection);
    expect(await track(disk, host, 2)).toEqual([{ n: 2 }]);
    const after = await (await disk.direct()).read();
    expect(after.connection).toEqual(before.connection);
    expect(after.visitor?.id).not.toBe(before.visitor?.id);
    // What was on its way to the service must not be taken for what has its number now.
    expect(after.nextSeq).toBeGreaterThan(before.nextSeq);
  });

  test("gets no visitor back from a host in memory, which loses no row", async () => {
    const { disk, host } = await started();
    await track(disk, host, 1);
    const before = await host.store.read();
    disk.onCall = () => "hang";
    await track(disk, host, 2);
    disk.heal();
    await empty(disk);
    await host.retired();
    expect(ids(await rowsOn(disk))).toEqual(["page-2"]);
    const after = await host.store.read();
    expect(after).toMatchObject({ connection: before.connection, visitor: null, session: null });
    // What was on its way to the service must not be taken for what has its number now.
    expect((await rowsOn(disk))[0]?.seq).toBeGreaterThan(before.nextSeq + 100_000);
    await track(disk, host, 3);
    const { visitor, session } = await host.store.read();
    expect(visitor?.id).not.toBe(before.visitor?.id);
    expect(session?.id).not.toBe(before.session?.id);
  });

  test("keeps what was erased before it erased", async () => {
    const { disk, host } = await started();
    await disk.wait(host.tracker.erase());
    const { generation } = await host.tracker.state();
    const erased = { ...view(disk, 1), generation };
    await empty(disk);
    const other = await startOn(disk, "b");
    await disk.time.advance(1);
    await disk.wait(other.tracker.erase());
    expect(await disk.wait(other.tracker.submit("page", [erased]))).toMatchObject([
      { n: 1, error: { message: expect.stringContaining("erased") as string } },
    ]);
    expect(await rowsOn(disk)).toEqual([]);
  });
});
