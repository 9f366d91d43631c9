import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../src/protocol/wire.js";
import { event, merge, pageView, sessionEnded } from "./operations.js";
import { onEachDriver, sharedService, START } from "./start-service.js";

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

  test("a merge into the same person again is harmless", async () => {
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

  test("an expired registration token of the visitor counts", async () => {
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

  test("a merge of an unknown visitor holds for what arrives later", async () => {
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

  test("what a merged visitor still sends lands on the person if it occurred before the merge", async () => {
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

  test("with one wrong clock, a merge and what came before it keep their order whatever the requests took", async () => {
    const subject = shared();
    const [visitor, lead] = [await subject.visitor(), await subject.lead()];
    const ahead = START + HOUR;
    await subject.send(lead.write, [merge(ahead, visitor)], { sentAt: ahead });
    // This request was under way for 20 s, which the correction takes for the clock's.
    subject.clock.now += 20 * SECOND;
    expect(await subject.statuses(visitor.write, [pageView(ahead - 1)], { sentAt: ahead })).toEqual([
      "accepted",
    ]);
    expect(await subject.statuses(visitor.write, [pageView(ahead + 1)], { sentAt: ahead })).toEqual([
      "rejected",
    ]);
  });

  test("an operation that visitor and person both sent is there once", async () => {
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

  test("after a merge in the middle of a batch, the visitor's ids count", async () => {
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

  test("merges and the visitor's own batches at the same time lose nothing", async () => {
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
