/** What another process does between the read and the write of a batch of events. */
import { beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { HOUR, MINUTE } from "../../../src/protocol/wire.js";
import { beforeNextWrite } from "../support/before-next-write.js";
import { merge, pageView, sessionEnded } from "../support/operations.js";
import { newDatabase, START, startService, type Subject } from "../support/start-service.js";

describe.skipIf(!inject("postgresUrl"))("concurrent writes on PostgreSQL", () => {
  let subject: Subject;
  let other: Subject;
  beforeEach(async () => {
    const database = await newDatabase("PostgreSQL", onTestFinished);
    subject = await startService("PostgreSQL", { database });
    other = await startService("PostgreSQL", { database });
  });
  const told = async (id: string) =>
    (await subject.timeline(id)).map(({ definitionId, closedBy }) => closedBy ?? definitionId);

  test("an event belongs to the person if its visitor is merged in the meantime", async () => {
    const { visitor, lead } = { visitor: await subject.visitor(), lead: await subject.lead() };
    const meanwhile = beforeNextWrite(() => other.send(lead.write, [merge(START, visitor)]));
    expect(await subject.statuses(visitor.write, [pageView(START)])).toEqual(["accepted"]);
    await meanwhile;
    expect(await told(lead.person.id)).toEqual(["pageView"]);
  });

  test("an event is rejected if it occurred after a merge that happens in the meantime", async () => {
    const { visitor, lead } = { visitor: await subject.visitor(), lead: await subject.lead() };
    const meanwhile = beforeNextWrite(() => other.send(lead.write, [merge(START - 1, visitor)]));
    expect(await subject.statuses(visitor.write, [pageView(START)])).toEqual(["rejected"]);
    await meanwhile;
    expect(await told(lead.person.id)).toEqual([]);
  });

  test("a session that the service closes in the meantime is reopened", async () => {
    const { token, write, person } = await subject.lead();
    await subject.send(write, [pageView(START)]);
    subject.clock.now = other.clock.now = START + HOUR;
    const later = await subject.register(person, token);
    const swept = beforeNextWrite(() => other.service.sweep());
    await subject.send(later, [pageView(START + MINUTE)]);
    expect(await swept).toMatchObject({ closedSessions: 1 });
    expect(await told(person.id)).toEqual(["pageView", "pageView"]);
  });

  test("a session keeps the events that another batch adds in the meantime", async () => {
    const { write, person } = await subject.lead();
    await subject.send(write, [pageView(START)]);
    subject.clock.now = other.clock.now = START + MINUTE;
    const meanwhile = beforeNextWrite(() => other.send(write, [sessionEnded(START + MINUTE)]));
    await subject.send(write, [pageView(START + 1)]);
    await meanwhile;
    // If the end were lost, the service would close the session again.
    subject.clock.now = START + 2 * HOUR;
    expect(await subject.service.sweep()).toMatchObject({ closedSessions: 0 });
    expect(await told(person.id)).toEqual(["pageView", "pageView", "sessionEnded"]);
  });

  test("a session keeps the events of a visitor that is merged in the meantime", async () => {
    const { visitor, lead } = { visitor: await subject.visitor(), lead: await subject.lead() };
    await subject.send(visitor.write, [pageView(START - MINUTE), sessionEnded(START)]);
    const meanwhile = beforeNextWrite(() => other.send(lead.write, [merge(START, visitor)]));
    await subject.send(lead.write, [pageView(START - 1)]);
    await meanwhile;
    subject.clock.now = START + 2 * HOUR;
    expect(await subject.service.sweep()).toMatchObject({ closedSessions: 0 });
    expect(await told(lead.person.id)).toEqual(["pageView", "pageView", "sessionEnded"]);
  });

  test("of two equal concurrent batches one is applied", async () => {
    const { write, person } = await subject.lead();
    const batch = [pageView(START), pageView(START)];
    const meanwhile = beforeNextWrite(() => other.send(write, batch));
    expect(await subject.statuses(write, batch)).toEqual(["duplicate", "duplicate"]);
    await meanwhile;
    expect(await told(person.id)).toEqual(["pageView", "pageView"]);
  });
});
