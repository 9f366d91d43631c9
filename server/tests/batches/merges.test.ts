import { randomUUID } from "node:crypto";
import { describe, expect, inject, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../src/protocol/wire.js";
import { event, merge, pageView, sessionEnded } from "../support/operations.js";
import {
  newDatabase,
  onEachDriver,
  sharedService,
  START,
  startService,
  type Subject,
} from "../support/start-service.js";

/**
 * Two leads concurrently merge an unknown visitor, through two processes or through one. Then the visitor sends an event.
 *
 * @returns the sorted results of both leads, and the number of events of the lead that has the visitor and of the other
 */
async function raceForVisitor(subject: Subject, elsewhere: Subject): Promise<unknown[]> {
  const [lead, other] = await Promise.all([subject.lead(), elsewhere.lead()]);
  const id = randomUUID();
  const results = await Promise.all([
    subject.send(lead.write, [merge(START, { id, write: "none" })]),
    elsewhere.send(other.write, [merge(START, { id, write: "none" })]),
  ]);
  const told = results.flat().map(({ status, error }) => error?.message ?? status);
  const [winner, loser] = told[0] === "accepted" ? [lead, other] : [other, lead];
  const write = await subject.register({ kind: "visitor", id });
  await subject.send(write, [pageView(START - MINUTE)]);
  const [won, lost] = [await subject.timeline(winner.person.id), await subject.timeline(loser.person.id)];
  return [...told.toSorted((left, right) => left.localeCompare(right)), won.length, lost.length];
}
const ONE_HAS_IT = ["accepted", "the visitor was merged into another person", 1, 0];

describe("merges", () => {
  test.skipIf(!inject("postgresUrl"))(
    "of two leads that merge an unknown visitor concurrently through two processes, one gets it",
    async () => {
      const database = await newDatabase("PostgreSQL");
      const subject = await startService("PostgreSQL", { database });
      const elsewhere = await startService("PostgreSQL", { database });
      for (let attempt = 0; attempt < 60; attempt++)
        expect(await raceForVisitor(subject, elsewhere)).toEqual(ONE_HAS_IT);
    },
  );

  test.skipIf(!inject("postgresUrl"))(
    "leads that merge many unknown visitors concurrently, in any order, wait for each other without a deadlock",
    async () => {
      const database = await newDatabase("PostgreSQL");
      const services = [
        await startService("PostgreSQL", { database }),
        await startService("PostgreSQL", { database }),
      ];
      for (let attempt = 0; attempt < 10; attempt++) {
        const ids = Array.from({ length: 20 }, () => randomUUID());
        const results = await Promise.all(
          services.map(async (service, index) => {
            const lead = await service.lead();
            const merges = (index ? ids.toReversed() : ids).map((id) => merge(START, { id, write: "none" }));
            return service.statuses(lead.write, merges);
          }),
        );
        expect(results.flat().filter((status) => status === "accepted")).toHaveLength(20);
      }
    },
  );

  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test.each(["lead", "authenticated"])("a visitor's activity becomes that of the %s", async (kind) => {
      const subject = shared();
      const visitor = await subject.visitor();
      await subject.send(visitor.write, [event("sessionStarted", START - MINUTE), pageView(START - MINUTE)]);
      const chat = kind === "lead" ? await subject.startChat() : await subject.signIn({ sub: randomUUID() });
      const write = await subject.register(chat.person, chat.token);
      expect(await subject.statuses(write, [merge(START, visitor), pageView(START)])).toEqual([
        "accepted",
        "accepted",
      ]);
      expect((await subject.timeline(chat.person.id)).map(({ definitionId }) => definitionId)).toEqual([
        "sessionStarted",
        "pageView",
        "pageView",
      ]);
    });

    test("a repeated merge into the same person changes nothing", async () => {
      const subject = shared();
      const [visitor, lead] = [await subject.visitor(), await subject.lead()];
      await subject.send(visitor.write, [pageView(START)]);
      const first = merge(START, visitor);
      expect(await subject.statuses(lead.write, [first, first, merge(START, visitor)])).toEqual([
        "accepted",
        "duplicate",
        "accepted",
      ]);
      expect(await subject.timeline(lead.person.id)).toHaveLength(1);
    });

    test("a merge into another person is rejected", async () => {
      const subject = shared();
      const [visitor, lead, other] = [await subject.visitor(), await subject.lead(), await subject.lead()];
      await subject.send(visitor.write, [pageView(START)]);
      await subject.send(lead.write, [merge(START, visitor)]);
      const [result] = await subject.send(other.write, [merge(START, visitor)]);
      expect(result).toMatchObject({ status: "rejected", error: { name: "MergeRefusedError" } });
      expect(await subject.timeline(other.person.id)).toEqual([]);
    });

    test("a merge needs a registration token of that very visitor", async () => {
      const subject = shared();
      const [victim, thief, lead] = [await subject.visitor(), await subject.visitor(), await subject.lead()];
      await subject.send(victim.write, [pageView(START)]);
      for (const write of ["", "nonsense", thief.write, lead.write])
        expect(await subject.statuses(lead.write, [merge(START, { id: victim.id, write })])).toEqual([
          "rejected",
        ]);
      expect(await subject.timeline(lead.person.id)).toEqual([]);
    });

    test("an expired registration token of the visitor is accepted", async () => {
      const subject = shared();
      const visitor = await subject.visitor();
      await subject.send(visitor.write, [pageView(START)]);
      subject.clock.now += 20 * DAY;
      await subject.service.sweep();
      const lead = await subject.lead();
      expect(await subject.statuses(lead.write, [merge(START + MINUTE, visitor)])).toEqual(["accepted"]);
      expect(await subject.timeline(lead.person.id)).not.toEqual([]);
    });

    test("a visitor merges into no visitor", async () => {
      const subject = shared();
      const [visitor, other] = [await subject.visitor(), await subject.visitor()];
      expect(await subject.statuses(other.write, [merge(START, visitor)])).toEqual(["rejected"]);
    });

    test("a merge of an unknown visitor applies to what arrives later", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const id = randomUUID();
      expect(await subject.statuses(lead.write, [merge(START, { id, write: "none" })])).toEqual(["accepted"]);
      const write = await subject.register({ kind: "visitor", id });
      expect(await subject.statuses(write, [pageView(START - MINUTE)])).toEqual(["accepted"]);
      expect(await subject.timeline(lead.person.id)).toHaveLength(1);
      const other = await subject.lead();
      expect(await subject.statuses(other.write, [merge(START, { id, write })])).toEqual(["rejected"]);
    });

    test("of two leads that merge an unknown visitor concurrently, one gets it and what it sends later", async () => {
      const subject = shared();
      for (let attempt = 0; attempt < 60; attempt++)
        expect(await raceForVisitor(subject, subject)).toEqual(ONE_HAS_IT);
    });

    test("a merge of an unknown visitor that is rejected leaves it unknown", async () => {
      const subject = shared();
      const [lead, other] = [await subject.lead(), await subject.lead()];
      const visitor = { id: randomUUID(), write: "none" };
      expect(await subject.statuses(lead.write, [merge(START - 40 * DAY, visitor)])).toEqual(["rejected"]);
      expect(await subject.statuses(other.write, [merge(START, visitor)])).toEqual(["accepted"]);
    });

    test("a second merge of an unknown visitor in one batch changes nothing", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const id = randomUUID();
      const merges = [id, id.toUpperCase()].map((name) => merge(START, { id: name, write: "none" }));
      expect(await subject.statuses(lead.write, merges)).toEqual(["accepted", "accepted"]);
    });

    test("a batch holds at most 100 merges", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const results = await subject.send(
        lead.write,
        Array.from({ length: 102 }, () => merge(START, { id: randomUUID(), write: "none" })),
      );
      expect(results.slice(98).map(({ status, error }) => error?.message ?? status)).toEqual([
        "accepted",
        "accepted",
        "a batch holds at most 100 merges",
        "a batch holds at most 100 merges",
      ]);
    });

    test("what a merged visitor sends later belongs to the person if it occurred before the merge", async () => {
      const subject = shared();
      const [visitor, lead] = [await subject.visitor(), await subject.lead()];
      await subject.send(lead.write, [merge(START - MINUTE, visitor), pageView(START)]);
      const results = await subject.send(visitor.write, [
        pageView(START - HOUR),
        pageView(START - MINUTE),
        pageView(START - MINUTE + 1),
      ]);
      expect(results.map(({ status, error }) => error?.name ?? status)).toEqual([
        "accepted",
        "accepted",
        "VisitorMergedError",
      ]);
      const again = await subject.register({ kind: "visitor", id: visitor.id.toUpperCase() });
      expect(await subject.statuses(again, [pageView(START - 2 * MINUTE)])).toEqual(["accepted"]);
      expect(await subject.timeline(lead.person.id)).toHaveLength(4);
    });

    test("with one wrong clock, a merge and what preceded it keep their order whatever the latency of the requests", async () => {
      const subject = shared();
      const [visitor, lead] = [await subject.visitor(), await subject.lead()];
      const ahead = START + HOUR;
      await subject.send(lead.write, [merge(ahead, visitor)], { sentAt: ahead });
      // This request took 20 s, which the correction attributes to the clock.
      subject.clock.now += 20 * SECOND;
      expect(await subject.statuses(visitor.write, [pageView(ahead - 1)], { sentAt: ahead })).toEqual([
        "accepted",
      ]);
      expect(await subject.statuses(visitor.write, [pageView(ahead + 1)], { sentAt: ahead })).toEqual([
        "rejected",
      ]);
    });

    test("an operation that was sent for both visitor and person is kept once", async () => {
      const subject = shared();
      const [visitor, lead] = [await subject.visitor(), await subject.lead()];
      const end = { ...sessionEnded(START), id: "e-session-1" };
      await subject.send(visitor.write, [pageView(START - HOUR), end]);
      expect(await subject.statuses(lead.write, [end, merge(START, visitor), end])).toEqual([
        "accepted",
        "accepted",
        "duplicate",
      ]);
      expect(await subject.statuses(visitor.write, [end])).toEqual(["duplicate"]);
      expect(await subject.timeline(lead.person.id)).toHaveLength(2);
    });

    test("after a merge in the middle of a batch, the visitor's ids are duplicates", async () => {
      const subject = shared();
      const [visitor, lead] = [await subject.visitor(), await subject.lead()];
      const view = pageView(START - MINUTE);
      await subject.send(visitor.write, [view]);
      expect(await subject.statuses(lead.write, [pageView(START), merge(START, visitor), view])).toEqual([
        "accepted",
        "accepted",
        "duplicate",
      ]);
    });

    test("concurrent merges and batches of the visitor lose nothing", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const visitors = await Promise.all([1, 2, 3, 4].map(() => subject.visitor()));
      await Promise.all(
        visitors.flatMap((visitor) => [
          ...Array.from({ length: 5 }, () =>
            subject.send(visitor.write, [pageView(START - 1), pageView(START - 1)]),
          ),
          subject.send(lead.write, [pageView(START), merge(START, visitor)]),
        ]),
      );
      expect(await subject.timeline(lead.person.id)).toHaveLength(4 * 11);
    });

    test("a visitor cannot be read, not even its existence", async () => {
      const subject = shared();
      const visitor = await subject.visitor();
      await subject.send(visitor.write, [pageView(START)]);
      const authorization = `App ${subject.adminKey}`;
      for (const rest of ["", "/timeline"]) {
        const known = await subject.call("GET", `/v1/persons/${visitor.id}${rest}`, { authorization });
        const unknown = await subject.call("GET", `/v1/persons/${randomUUID()}${rest}`, { authorization });
        expect([known.status, known.body]).toEqual([404, unknown.body]);
      }
      const { body } = await subject.call<{ persons: { id: string }[] }>("GET", "/v1/persons", {
        authorization,
      });
      expect(body.persons.map(({ id }) => id)).not.toContain(visitor.id);
    });

    test("a visitor cannot take a person's id to reach it", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const write = await subject.register({ kind: "visitor", id: lead.person.id });
      await subject.send(write, [pageView(START)]);
      expect(await subject.timeline(lead.person.id)).toEqual([]);
    });
  });
});
