import { describe, expect, test } from "vitest";
import type { KnownDisk } from "../../../../src/core/failover/retirement.js";
import { closingChange, mayRetire } from "../../../../src/core/failover/retirement.js";
import type { Held } from "../../../../src/core/failover/memory-tracker-store.js";
import { withProcessed, noProcessedCommands } from "../../../../src/core/commands/processed-commands.js";
import type { Snapshot } from "../../../../src/core/ports.js";
import type { TrackerRecord } from "../../../../src/core/tracker-record.js";
import { emptyRecord } from "../../../../src/core/tracker-record.js";
import type { OutboxRow, Profile } from "../../../../src/protocol/api.js";

const NOW = 1_000_000;
const connection = { endpoint: "https://people.test", apiKey: "key" };
const LEAD: Profile = { kind: "lead", id: "lead" };

const visitor = (id: string): Partial<TrackerRecord> => ({
  visitor: { id, lastActivityAt: NOW, hasOperations: true },
  selections: [{ profile: { kind: "visitor", id }, selectedAt: NOW - 1, merges: false }],
});
const nobody: Partial<TrackerRecord> = { visitor: null, selections: [] };
const inChat = (id: string): Partial<TrackerRecord> => ({
  visitor: null,
  selections: [{ profile: LEAD, selectedAt: NOW - 1, merges: false }],
  liveChat: { id, kind: "lead", personId: LEAD.id },
  lanes: [{ profile: LEAD, waiting: 0, rejected: 0, liveChatToken: "token" }],
});
const open = (id: string, lastActivityAt = NOW - 5) => ({
  session: { id, startedAt: NOW - 9, lastActivityAt, expiresAt: NOW + 5 },
});
const record = (...changes: readonly Partial<TrackerRecord>[]): TrackerRecord =>
  Object.assign(emptyRecord(), { connection }, visitor("one"), ...changes) as TrackerRecord;

const row = (id: string, state: OutboxRow["state"], profile: Profile = { kind: "visitor", id: "one" }) => {
  const occurredAt = new Date(NOW).toISOString();
  return {
    seq: 1_000_005,
    id,
    type: "person.update",
    state,
    profile,
    occurredAt,
    operation: { id, type: "person.update", occurredAt, person: {} },
  } as const;
};

const close = (
  disk: TrackerRecord,
  mine: TrackerRecord,
  { left = record(), begun = left }: Partial<KnownDisk> = {},
  { rows = [], retired = [], pages = [] }: Partial<Held> = {},
  snapshot: Partial<Snapshot> = {},
) =>
  closingChange(
    {
      record: disk,
      pages: new Map(),
      retired: new Set(),
      waitingSeqs: [],
      rejected: [],
      ...snapshot,
    },
    { record: mine, rows, pages, retired },
    { left, begun },
    NOW,
  );

const backedOff = (lanes: TrackerRecord["lanes"]): Partial<TrackerRecord> => {
  const retry = { decidedAt: NOW, nextAt: NOW + 1 };
  return { lanes, delivery: { failures: 1, refusedAlone: 0, retry } };
};

describe("whether a host may retire", () => {
  const waiting = [{ profile: LEAD, waiting: 1, rejected: 0 }];
  test.each<[string, Partial<TrackerRecord>, boolean]>([
    ["nothing waits", {}, true],
    ["something can be sent", { lanes: waiting }, false],
    ["the service is out of reach", backedOff(waiting), true],
    ["the visitor has opted out", { lanes: waiting, consent: "out" }, true],
    ["all was erased", { lanes: waiting, generation: 1 }, true],
  ])("where %s", (_, change, expected) => {
    expect(mayRetire({ record: record(change), rows: [], pages: [], retired: [] }, record(), NOW)).toBe(
      expected,
    );
  });
});

describe("consent", () => {
  test.each([
    ["in", "undecided", "gpc", "in"],
    ["out", "gpc", "undecided", "out"],
    ["undecided", "undecided", "gpc", "gpc"],
    ["in", "in", "out", "out"],
    ["out", "in", "in", "out"],
  ] as const)(
    "of a disk that has %s and had %s, and a memory that has %s, is %s",
    (onDisk, left, mine, expected) => {
      const change = close(record({ consent: onDisk }), record({ consent: mine }), {
        left: record({ consent: left }),
      });
      expect(change.record.consent).toBe(expected);
    },
  );
});

describe("an erase", () => {
  test("in memory erases the disk, and who came after it is known there", () => {
    const disk = record(open("old"), { lanes: [{ profile: LEAD, waiting: 3, rejected: 0 }] });
    const change = close(disk, record(visitor("two"), { generation: 7 }));
    expect(change).toMatchObject({
      erase: true,
      record: { ...visitor("two"), generation: 7, session: null },
    });
    expect(change.record.lanes).toEqual([]);
  });

  test("on the disk lets nothing of memory come back, but what somebody chose", () => {
    const mine = record(open("mine"), {
      consent: "in",
      liveChat: { id: "c", kind: "lead", personId: "lead" },
    });
    const disk = record(visitor("two"), { generation: 7 });
    const { record: after, put = [] } = close(disk, mine, {}, { rows: [row("page-1", "rejected")] });
    expect(put).toEqual([]);
    expect(after).toEqual({ ...disk, consent: "in" });
  });

  test("of a database that was deleted since is not made again", () => {
    const left = record({ generation: 7 });
    const disk = record(visitor("two"));
    const change = close(disk, record(visitor("one"), { generation: 7 }), { left });
    expect(change.erase).toBeUndefined();
    expect(change.record).toMatchObject({ ...visitor("two"), generation: 7 });
  });
});

describe("the history in memory", () => {
  test("goes on where nobody else has moved on", () => {
    const mine = record(open("one", NOW - 1), { pastSessions: [] });
    const { record: after, put } = close(record(open("one")), mine, { left: record(open("one")) });
    expect(after).toMatchObject(open("one", NOW - 1));
    expect(put).toEqual([]);
  });

  test("goes on where a commit in doubt had happened, of which the host never heard", () => {
    const disk = record(visitor("two"));
    expect(close(disk, record(visitor("three")), { begun: disk }).record).toMatchObject(visitor("three"));
  });

  test("goes on where the disk never knew anybody", () => {
    expect(close(record(nobody), record(), { left: record(nobody) }).record).toMatchObject(visitor("one"));
  });

  test("goes on from a chat that ended in memory, whose next session another host began", () => {
    const disk = record(inChat("chat"), open("theirs"));
    const left = record(inChat("chat"));
    const { record: after, put = [] } = close(disk, record(visitor("two")), { left }, { retired: ["chat"] });
    expect(after).toMatchObject({ ...visitor("two"), liveChat: null, session: null });
    expect(put.map(({ id }) => id)).toEqual(["e-theirs"]);
  });

  test("goes on where it merged the visitor whom the disk still has, and reopens no session that ended there", () => {
    const disk = record(open("theirs"), { pastSessions: [{ ...open("mine").session, endedAt: NOW - 1 }] });
    const selections = [
      ...(visitor("one").selections ?? []),
      { profile: LEAD, selectedAt: NOW - 1, merges: true },
    ];
    const mine = record(inChat("chat"), open("mine"), { selections });
    const { record: after, put = [] } = close(disk, mine);
    expect(after).toMatchObject({ selections, liveChat: { id: "chat" }, session: null });
    expect(put.map(({ id }) => id)).toEqual(["e-theirs"]);
  });

  test("gives way where another host has moved on, and its own session ends", () => {
    const { record: after, put = [] } = close(record(visitor("two"), open("theirs")), record(open("mine")), {
      left: record(),
    });
    expect(after).toMatchObject({ ...visitor("two"), ...open("theirs") });
    expect(put.map(({ id }) => id)).toEqual(["e-mine"]);
  });

  test("leaves the end of a session that the disk knows to the disk", () => {
    const disk = record(open("theirs"), { pastSessions: [{ ...open("mine").session, endedAt: NOW - 1 }] });
    expect(close(disk, record(open("mine"))).put).toEqual([]);
  });

  test("stays forgotten where the person has cleared the site's data", () => {
    expect(close(emptyRecord(), record(open("old")), { left: record(open("old")) })).toMatchObject({
      record: { connection, ...nobody, session: null },
      put: [],
    });
  });

  test("stays forgotten where another host has gone on since", () => {
    const { record: after } = close(record(visitor("two")), record(), { left: record() });
    expect(after).toMatchObject(visitor("two"));
  });
});

describe("Live Chat", () => {
  test("reported in memory is reported to a disk that has moved on", () => {
    const { record: after } = close(record(visitor("one"), open("theirs")), record(inChat("chat")));
    expect(after).toMatchObject({ liveChat: { id: "chat" } });
  });

  test("is not reported where the chat is over on the disk", () => {
    const disk = record(inChat("new"));
    const change = close(disk, record(inChat("old")), {}, {}, { retired: new Set(["old"]) });
    expect(change.record.liveChat?.id).toBe("new");
  });

  test("sessions that are over are retired on the disk", () => {
    expect(close(record(), record(), {}, { retired: ["over"] }).retire).toEqual(["over"]);
  });
});

describe("rows", () => {
  test("follow those of the disk and are counted, with the credentials that they need", () => {
    const mine = record({ lanes: [{ profile: LEAD, waiting: 0, rejected: 1, liveChatToken: "token" }] });
    const rows = [row("page-1", "rejected", LEAD)];
    const change = close(record({ nextSeq: 40 }), mine, {}, { rows });
    expect(change.put).toMatchObject([{ seq: 40, id: "page-1", state: "rejected" }]);
    expect(change.record.nextSeq).toBe(41);
    expect(change.record.lanes).toEqual([{ profile: LEAD, waiting: 0, rejected: 1, liveChatToken: "token" }]);
  });

  test("that the disk has processed are not written again", () => {
    const pages = new Map([["page", withProcessed(noProcessedCommands("page"), 1, NOW)]]);
    const mine = withProcessed(withProcessed(noProcessedCommands("page"), 1, NOW), 2, NOW);
    const rows = [row("page-1", "rejected"), row("page-2", "rejected")];
    const change = close(record(), record(), {}, { rows, pages: [mine] }, { pages });
    expect(change.put?.map(({ id }) => id)).toEqual(["page-2"]);
    expect(change.pages).toMatchObject([{ pageId: "page", decidedUpTo: 2, gaps: [] }]);
  });
});

test("the later Retry-After of disk and memory binds", () => {
  const bound = (endsAt: number) =>
    record({ delivery: { failures: 0, refusedAlone: 0, retryAfter: { receivedAt: NOW - 1, endsAt } } });
  const endOf = (disk: number, mine: number) =>
    close(bound(disk), bound(mine)).record.delivery.retryAfter?.endsAt;
  expect(endOf(NOW + 9, NOW + 5)).toBe(NOW + 9);
  expect(endOf(NOW + 5, NOW + 9)).toBe(NOW + 9);
});
