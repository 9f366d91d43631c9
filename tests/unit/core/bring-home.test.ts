/** What comes of what a host held in memory, beside what others did on the disk meanwhile. */
import { expect, test } from "vitest";
import { bringHome } from "../../../src/core/bring-home.js";
import type { Held } from "../../../src/core/bring-home.js";
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

test("rows never take numbers that memory used, where the disk leapt as far", () => {
  const row = {
    seq: 1_000_005,
    id: "page-1",
    type: "person.update",
    state: "waiting",
    profile: { kind: "visitor", id: "one" },
    occurredAt: new Date(NOW).toISOString(),
    operation: { id: "page-1", type: "person.update", occurredAt: new Date(NOW).toISOString(), person: {} },
  } as const;
  const held = heldOf(recordOf({ nextSeq: 1_000_006 }), [row]);
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

test("where somebody else moved on, the disk's history holds", () => {
  const [disk, held, begun] = ["two", "three", "four"].map((id) => recordOf(visitor(id)));
  const { record } = bringHome(diskOf(disk!), heldOf(held!), recordOf({}), NOW, begun);
  expect(record).toMatchObject(visitor("two"));
});
