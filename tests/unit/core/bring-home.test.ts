/** What comes of what a host held in memory, beside what others did on the disk meanwhile. */
import { expect, test } from "vitest";
import { bringHome } from "../../../src/core/bring-home.js";
import type { Held } from "../../../src/core/bring-home.js";
import type { OutboxRow } from "../../../src/protocol/api.js";
import type { Snapshot } from "../../../src/core/ports.js";
import type { TrackerRecord } from "../../../src/core/tracker-record.js";
import { emptyRecord } from "../../../src/core/tracker-record.js";

const NOW = 1_000_000;
const connection = { endpoint: "https://people.test", apiKey: "key" };
const visitor = (id: string): Partial<TrackerRecord> => ({
  visitor: { id, lastActivityAt: NOW, hasOperations: true },
  selections: [{ profile: { kind: "visitor", id }, selectedAt: NOW - 1, merges: false }],
});
const recordOf = (change: Partial<TrackerRecord>): TrackerRecord => ({
  ...emptyRecord(),
  connection,
  ...visitor("one"),
  ...change,
});
const diskOf = (record: TrackerRecord): Snapshot => ({
  record,
  pages: new Map(),
  retired: new Set(),
  waitingSeqs: [],
  rejected: [],
});
const heldOf = (record: TrackerRecord, rows: Held["rows"] = []): Held => ({
  record,
  rows,
  pages: [],
  retired: [],
  erased: false,
});

const open = (id: string) => ({ id, startedAt: NOW - 9, lastActivityAt: NOW - 5, expiresAt: NOW + 5 });
const ended = (id: string) => ({ ...open(id), endedAt: NOW - 1 });
const update = (seq: number, id: string, at: number): OutboxRow => {
  const occurredAt = new Date(at).toISOString();
  return {
    seq,
    id,
    type: "person.update",
    state: "waiting",
    profile: { kind: "visitor", id: "one" },
    occurredAt,
    operation: { id, type: "person.update", occurredAt, person: {} },
  };
};

test.each([
  ["in", "undecided", "gpc", "in"],
  ["out", "gpc", "undecided", "out"],
  ["undecided", "undecided", "gpc", "gpc"],
  ["in", "in", "out", "out"],
  ["out", "in", "in", "out"],
] as const)(
  "consent: the disk has %s, was left with %s, and memory with %s makes %s",
  (onDisk, left, mine, expected) => {
    const [disk, known, held] = [onDisk, left, mine].map((consent) => recordOf({ consent }));
    expect(bringHome(diskOf(disk!), heldOf(held!), known!, NOW).record.consent).toBe(expected);
  },
);

test("the later Retry-After of disk and memory binds, and one that is over does not", () => {
  const bound = (endsAt: number) =>
    recordOf({ delivery: { failures: 0, refusedAlone: 0, retryAfter: { receivedAt: NOW - 1, endsAt } } });
  const endOf = (disk: number, mine: number) =>
    bringHome(diskOf(bound(disk)), heldOf(bound(mine)), recordOf({}), NOW).record.delivery.retryAfter?.endsAt;
  expect(endOf(NOW + 9, NOW + 5)).toBe(NOW + 9);
  expect(endOf(NOW + 5, NOW + 9)).toBe(NOW + 9);
});

test("who the person cleared stays forgotten, also where another host has connected to the empty disk", () => {
  const disk = recordOf({ visitor: null, selections: [] });
  const { record } = bringHome(diskOf(disk), heldOf(recordOf({})), recordOf({}), NOW);
  expect(record).toMatchObject({ visitor: null, selections: [] });
});

test("they stay forgotten where other hosts have gone on since, whose rows are numbered far on", () => {
  const disk = recordOf({ ...visitor("two"), nextSeq: 1_000_003 });
  const mine = recordOf({ liveChat: null, pastSessions: [ended("old")], nextSeq: 1_000_002 });
  const { record } = bringHome(diskOf(disk), heldOf(mine), recordOf({ nextSeq: 2 }), NOW);
  expect(record).toMatchObject({ ...visitor("two"), pastSessions: [] });
});

test("what memory began after the disk was emptied is nobody's past: it goes on", () => {
  const emptied = recordOf({ visitor: null, selections: [], nextSeq: 1_000_002 });
  const mine = recordOf({ ...visitor("two"), session: open("new"), nextSeq: 2_000_003 });
  const { record, put } = bringHome(diskOf(emptied), heldOf(mine), recordOf({ nextSeq: 2 }), NOW, emptied);
  expect(record).toMatchObject({ ...visitor("two"), session: { id: "new" } });
  expect(put).toEqual([]);
});

test("a session whose start the disk never got ends, where the disk went on with another", () => {
  const mine = recordOf({ session: open("mine") });
  const disk = recordOf({ session: open("theirs") });
  const { record, put } = bringHome(diskOf(disk), heldOf(mine), recordOf({}), NOW, mine);
  expect(put?.map(({ id }) => id)).toEqual(["e-mine"]);
  expect(record.session?.id).toBe("theirs");
});

test("a session that the disk has ended is not ended again", () => {
  const mine = recordOf({ session: open("mine") });
  const disk = recordOf({ session: open("theirs"), pastSessions: [ended("mine")] });
  expect(bringHome(diskOf(disk), heldOf(mine), recordOf({}), NOW, mine).put).toEqual([]);
});

test("what a visitor did after another host had merged it comes to the person", () => {
  const person = { kind: "lead", id: "lead" } as const;
  const merged = { profile: person, selectedAt: NOW - 10, merges: true };
  const disk = recordOf({ visitor: null, selections: [...(visitor("one").selections ?? []), merged] });
  disk.selections[0]!.selectedAt = NOW - 100;
  const rows = [update(1_000_005, "page-1", NOW - 20), update(1_000_006, "page-2", NOW)];
  const { put } = bringHome(diskOf(disk), heldOf(recordOf({ nextSeq: 1_000_007 }), rows), recordOf({}), NOW);
  expect(put?.map(({ profile }) => profile)).toEqual([{ kind: "visitor", id: "one" }, person]);
});

test("a history that the disk has too is not taken for cleared, however far on its rows are numbered", () => {
  const [disk, mine, left] = [1_000_003, 1_000_004, 2].map((nextSeq) =>
    recordOf({ session: open("one"), nextSeq }),
  );
  const { record, put } = bringHome(diskOf(disk!), heldOf(mine!), left!, NOW);
  expect(record.session?.id).toBe("one");
  expect(put).toEqual([]);
});

test("who was chosen in a commit that never happened is nobody's past, where the disk knew nobody", () => {
  const nobody = recordOf({ visitor: null, selections: [] });
  const mine = recordOf({ session: open("mine") });
  const { record, put } = bringHome(diskOf(nobody), heldOf(mine), nobody, NOW, mine);
  expect(record.session?.id).toBe("mine");
  expect(put).toEqual([]);
});

test("rows never take numbers that memory used, where the disk leapt as far", () => {
  const held = heldOf(recordOf({ nextSeq: 1_000_006 }), [update(1_000_005, "page-1", NOW)]);
  const { put } = bringHome(
    diskOf(recordOf({ ...visitor("two"), nextSeq: 1_000_002 })),
    held,
    recordOf({ nextSeq: 2 }),
    NOW,
  );
  expect(put?.map(({ seq }) => seq)).toEqual([1_000_006]);
});

test("memory goes on where a commit in doubt had happened, of which the host never heard", () => {
  const disk = recordOf(visitor("two"));
  const { record } = bringHome(diskOf(disk), heldOf(recordOf(visitor("three"))), recordOf({}), NOW, disk);
  expect(record).toMatchObject(visitor("three"));
});

test("what the service asked of this browser comes home, though another host erased all meanwhile", () => {
  const retryAfter = { receivedAt: NOW, endsAt: NOW + 60_000 };
  const held = recordOf({ delivery: { failures: 0, refusedAlone: 0, retryAfter } });
  const { record } = bringHome(diskOf(recordOf({ generation: 1 })), heldOf(held), recordOf({}), NOW);
  expect(record.delivery.retryAfter).toEqual(retryAfter);
});

test("a chat that is over stays so, where the disk has its person in another one", () => {
  const profile = { kind: "authenticated", id: "user" } as const;
  const inChat = (id: string): TrackerRecord =>
    recordOf({
      visitor: null,
      selections: [{ profile, selectedAt: NOW - 1, merges: false }],
      liveChat: { id, kind: profile.kind, personId: profile.id },
      lanes: [{ profile, waiting: 0, rejected: 0, liveChatToken: "token" }],
    });
  const disk = { ...diskOf(inChat("new")), retired: new Set(["old"]) };
  expect(bringHome(disk, heldOf(inChat("old")), recordOf({}), NOW).record.liveChat?.id).toBe("new");
});

test("where somebody else moved on, the disk's history holds", () => {
  const [disk, held, begun] = ["two", "three", "four"].map((id) => recordOf(visitor(id)));
  const { record } = bringHome(diskOf(disk!), heldOf(held!), recordOf({}), NOW, begun);
  expect(record).toMatchObject(visitor("two"));
});
