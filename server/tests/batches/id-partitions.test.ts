import { Client } from "pg";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../../../src/protocol/wire.js";
import { ADVISORY_LOCKS } from "../../src/database/advisory-locks.js";
import { beforeNextWrite } from "../support/before-next-write.js";
import { append, merge, pageView } from "../support/operations.js";
import {
  newDatabase,
  onEachDriver,
  sharedService,
  START,
  startService,
  type Subject,
} from "../support/start-service.js";

const WEEK = 7 * DAY;
/** The boundary between two partitions. */
const BORDER = Math.ceil(START / WEEK) * WEEK;

/** Two services on one database, whose clocks are in consecutive weeks, and a separate connection. */
const startAtBorder = async () => {
  const database = (await newDatabase("PostgreSQL")) as { url: string };
  const [before, after] = [
    await startService("PostgreSQL", { database }),
    await startService("PostgreSQL", { database }),
  ];
  [before.clock.now, after.clock.now] = [BORDER - 1, BORDER];
  // Both partitions exist: a batch that creates its own partition is checked again afterwards.
  for (const subject of [before, after])
    await subject.send((await subject.lead()).write, [pageView(BORDER - 1)]);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  onTestFinished(() => client.end());
  return { before, after, client };
};
const partitions = async (client: Client) =>
  (
    await client.query<{ name: string }>(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'operation_ids'::regclass order by 1",
    )
  ).rows.map(({ name }) => name);
/** Returns how many sessions a sweep closes. */
const closed = async (subject: Subject): Promise<number> => (await subject.service.sweep()).closedSessions;

describe("partitions of operation ids", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("an id is a duplicate across the border of a week, and in every week after", async () => {
      const subject = shared();
      const { person, token } = await subject.lead();
      const operations = [pageView(BORDER - 2), append(BORDER - 2, "cars", { name: "Audi" })];
      const answers = [];
      for (const at of [BORDER - 1, BORDER, BORDER + WEEK, BORDER + 30 * DAY]) {
        subject.clock.now = at;
        const write = await subject.register(person, token);
        answers.push(await subject.statuses(write, operations));
      }
      const again = ["duplicate", "duplicate"];
      expect(answers).toEqual([["accepted", "accepted"], again, again, again]);
      expect(await subject.timeline(person.id)).toHaveLength(1);
    });

    test("an id is a duplicate also where it comes with another time, and in whatever batch", async () => {
      const subject = shared();
      const { person, token } = await subject.lead();
      const first = pageView(START);
      await subject.send(await subject.register(person, token), [first]);
      for (const at of [START, BORDER, START + 29 * DAY]) {
        subject.clock.now = at;
        const write = await subject.register(person, token);
        const again = pageView(at, { id: first.id });
        expect(await subject.statuses(write, [again])).toEqual(["duplicate"]);
        expect(await subject.statuses(write, [again, append(at, "cars", { at })])).toEqual([
          "duplicate",
          "accepted",
        ]);
      }
    });

    test("a visitor's ids of the week before are the person's after a merge", async () => {
      const subject = shared();
      subject.clock.now = BORDER - 1;
      const visitor = await subject.visitor();
      const view = pageView(BORDER - 2);
      await subject.send(visitor.write, [view]);
      subject.clock.now = BORDER;
      const lead = await subject.lead();
      expect(await subject.statuses(lead.write, [view, merge(BORDER, visitor)])).toEqual([
        "accepted",
        "accepted",
      ]);
      expect(await subject.statuses(visitor.write, [view])).toEqual(["duplicate"]);
      expect(await subject.statuses(lead.write, [view])).toEqual(["duplicate"]);
      expect(await subject.timeline(lead.person.id)).toHaveLength(1);
    });

    test("a batch is taken in a week that no sweep has made a partition for", async () => {
      const subject = shared();
      for (const weeks of [100, 500, 50]) {
        subject.clock.now = START + weeks * WEEK;
        const { write } = await subject.lead();
        const view = pageView(subject.clock.now);
        expect(await subject.statuses(write, [view])).toEqual(["accepted"]);
        expect(await subject.statuses(write, [view, append(START, "a", { b: 1 })])).toEqual([
          "duplicate",
          "rejected",
        ]);
      }
    });
  });

  describe.skipIf(!inject("postgresUrl"))("on PostgreSQL, with two processes", () => {
    test("apply each operation of a batch exactly once that both receive concurrently, on either side of the border", async () => {
      const { before, after } = await startAtBorder();
      const { write, person } = await before.lead();
      for (let attempt = 1; attempt <= 30; attempt++) {
        const batch = Array.from({ length: 3 }, () => pageView(BORDER - MINUTE));
        const mixed = [...batch, append(BORDER - MINUTE, "cars", { attempt })];
        const answers = await Promise.all([
          before.statuses(write, attempt % 2 ? batch : mixed),
          after.statuses(write, attempt % 3 ? batch : mixed),
        ]);
        for (const index of batch.keys())
          expect(new Set(answers.map((statuses) => statuses[index]))).toEqual(
            new Set(["accepted", "duplicate"]),
          );
        expect(await before.timeline(person.id)).toHaveLength(3 * attempt);
      }
    });

    test("treat as a duplicate what the other process applies in the next week between reading and writing", async () => {
      const { before, after } = await startAtBorder();
      const { write, person } = await before.lead();
      const batch = [pageView(BORDER - MINUTE), pageView(BORDER - MINUTE)];
      const meanwhile = beforeNextWrite(() => after.statuses(write, batch));
      expect(await before.statuses(write, batch)).toEqual(["duplicate", "duplicate"]);
      expect(await meanwhile).toEqual(["accepted", "accepted"]);
      expect(await before.timeline(person.id)).toHaveLength(2);
    });

    test("what a visitor sent in the week before, and whose merge the other process applies meanwhile, is a duplicate", async () => {
      const { before, after } = await startAtBorder();
      const [visitor, lead] = [await before.visitor(), await before.lead()];
      const view = pageView(BORDER - MINUTE);
      await before.send(visitor.write, [view]);
      const meanwhile = beforeNextWrite(() => before.send(lead.write, [merge(BORDER, visitor)]));
      expect(await after.statuses(lead.write, [view])).toEqual(["duplicate"]);
      await meanwhile;
      expect(await before.timeline(lead.person.id)).toHaveLength(1);
    });

    test("create the partition that both need, concurrently", async () => {
      const { before, after } = await startAtBorder();
      before.clock.now = after.clock.now = START + 70 * WEEK;
      const leads = await Promise.all([before.lead(), after.lead(), before.lead(), after.lead()]);
      const answers = await Promise.all(
        leads.map(({ write }, index) =>
          (index % 2 ? after : before).statuses(write, [pageView(START + 70 * WEEK)]),
        ),
      );
      expect(answers.flat()).toEqual(["accepted", "accepted", "accepted", "accepted"]);
    });

    test("drop a week when all of it is over 31 days old, and create the next partition", async () => {
      const { before, client } = await startAtBorder();
      const { write } = await before.lead();
      await before.send(write, [pageView(BORDER - MINUTE)]);
      const [dueAt, due] = [BORDER + 31 * DAY, "operation_ids_2026_02_26"];
      before.clock.now = dueAt - 1;
      await before.service.sweep();
      expect(await partitions(client)).toContain(due);
      before.clock.now = dueAt;
      await before.service.sweep();
      expect(await partitions(client)).toEqual([
        "operation_ids_2026_03_05",
        "operation_ids_2026_04_02",
        "operation_ids_2026_04_09",
      ]);
    });

    test("leave a week that is being read to a later sweep, and delay nobody", async () => {
      const { before, client } = await startAtBorder();
      const { write } = await before.lead();
      await before.send(write, [pageView(BORDER - MINUTE)]);
      await client.query("begin");
      await client.query("select count(*) from operation_ids");
      before.clock.now = BORDER + 31 * DAY;
      await before.service.sweep();
      const other = await before.lead();
      expect(await before.statuses(other.write, [pageView(BORDER)])).toEqual(["rejected"]);
      expect(await before.statuses(other.write, [pageView(before.clock.now)])).toEqual(["accepted"]);
      expect(await partitions(client)).toContain("operation_ids_2026_02_26");
      await client.query("commit");
      await before.service.sweep();
      expect(await partitions(client)).not.toContain("operation_ids_2026_02_26");
    });

    test("sweep one at a time: the other process skips", async () => {
      const { before, after, client } = await startAtBorder();
      const { write } = await before.lead();
      await before.send(write, [pageView(BORDER - HOUR)]);
      await client.query("begin");
      await client.query("select pg_advisory_xact_lock($1)", [ADVISORY_LOCKS.sweep]);
      expect([await closed(before), await closed(after)]).toEqual([0, 0]);
      await client.query("commit");
      expect([await closed(after), await closed(before)]).toEqual([1, 0]);
    });
  });
});
