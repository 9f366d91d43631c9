import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../../../src/protocol/wire.js";
import { event, merge, pageView, sessionEnded } from "../support/operations.js";
import { iso, onEachDriver, sharedService, START, type Subject } from "../support/start-service.js";

const ends = async (subject: Subject, person: { id: string }) =>
  (await subject.timeline(person.id)).filter(({ definitionId }) => definitionId === "sessionEnded");

describe("the sweep", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);
    /** A lead with an open session, and a sweep hours later. */
    const abandoned = async () => {
      const subject = shared();
      const lead = await subject.lead();
      await subject.send(lead.write, [event("sessionStarted", START - MINUTE), pageView(START)]);
      subject.clock.now += 3 * HOUR;
      await subject.service.sweep();
      return { subject, ...lead, write: await subject.register(lead.person, lead.token) };
    };

    test("closes a session whose browser never returns exactly once", async () => {
      const { subject, person } = await abandoned();
      await subject.service.sweep();
      const closings = await ends(subject, person);
      expect(closings).toMatchObject([
        { closedBy: "service", occurredAt: iso(START + 30 * MINUTE), sessionId: "session-1" },
      ]);
      expect(closings[0]).not.toHaveProperty("id");
    });

    test("does not close a session that its browser may continue", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      await subject.send(write, [pageView(START)]);
      subject.clock.now += 30 * MINUTE;
      await subject.service.sweep();
      expect(await ends(subject, person)).toEqual([]);
    });

    test("accepts the browser's own end in place of the service's", async () => {
      const { subject, person, write } = await abandoned();
      expect(await subject.statuses(write, [sessionEnded(START + 30 * MINUTE)])).toEqual(["accepted"]);
      const [end, ...more] = await ends(subject, person);
      expect(more).toEqual([]);
      expect(end).not.toHaveProperty("closedBy");
      subject.clock.now += DAY;
      await subject.service.sweep();
      expect(await ends(subject, person)).toEqual([end]);
    });

    test("withdraws the closing when later activity arrives, until it is due again", async () => {
      const { subject, person, write } = await abandoned();
      await subject.send(write, [pageView(START + 20 * MINUTE)]);
      expect(await ends(subject, person)).toEqual([]);
      await subject.service.sweep();
      expect(await ends(subject, person)).toMatchObject([
        { occurredAt: iso(START + 50 * MINUTE), closedBy: "service" },
      ]);
    });

    test("does not withdraw a closing for a duplicate or a rejected operation", async () => {
      const { subject, person, write } = await abandoned();
      const rejected = event("pageView", START, { properties: { nonsense: "x" } });
      expect(await subject.statuses(write, [rejected])).toEqual(["rejected"]);
      expect(await ends(subject, person)).toHaveLength(1);
    });

    test("leaves a session ended that the browser ended, whatever arrives late", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      await subject.send(write, [
        pageView(START - HOUR),
        sessionEnded(START - MINUTE),
        pageView(START - 2 * MINUTE),
      ]);
      subject.clock.now += DAY;
      await subject.service.sweep();
      expect(await ends(subject, person)).toMatchObject([{ occurredAt: iso(START - MINUTE) }]);
    });

    test("closes a session that a merge moved from visitor to lead exactly once", async () => {
      const subject = shared();
      const [visitor, lead] = [await subject.visitor(), await subject.lead()];
      await subject.send(visitor.write, [pageView(START)]);
      await subject.send(lead.write, [pageView(START + MINUTE)]);
      subject.clock.now += 2 * HOUR;
      await subject.service.sweep();
      const write = await subject.register(lead.person, lead.token);
      await subject.send(write, [merge(START + MINUTE, visitor)]);
      await subject.service.sweep();
      expect(await ends(subject, lead.person)).toMatchObject([
        { closedBy: "service", occurredAt: iso(START + 30 * MINUTE) },
      ]);
    });

    test("deletes a visitor with all its rows after 45 idle days", async () => {
      const subject = shared();
      const visitor = await subject.visitor();
      await subject.send(visitor.write, [pageView(START)]);
      subject.clock.now += 45 * DAY;
      await subject.service.sweep();
      const kept = await subject.register({ kind: "visitor", id: visitor.id });
      subject.clock.now += 1;
      expect(await subject.service.sweep()).toMatchObject({ deletedVisitors: 1 });
      expect((await subject.call("GET", "/v1/definitions", { authorization: `Bearer ${kept}` })).status).toBe(
        401,
      );
      const lead = await subject.lead();
      await subject.send(lead.write, [merge(subject.clock.now, visitor)]);
      expect(await subject.timeline(lead.person.id)).toEqual([]);
    });

    test("keeps the activity of a merged visitor, which belongs to the person", async () => {
      const subject = shared();
      const [visitor, lead] = [await subject.visitor(), await subject.lead()];
      await subject.send(visitor.write, [pageView(START)]);
      await subject.send(lead.write, [merge(START, visitor)]);
      subject.clock.now += 400 * DAY;
      await subject.service.sweep();
      expect((await subject.timeline(lead.person.id)).map(({ definitionId }) => definitionId)).toEqual([
        "pageView",
        "sessionEnded",
      ]);
    });

    test("keeps an expired registration for 90 days, as proof for a late merge", async () => {
      const subject = shared();
      const [early, late] = [await subject.visitor(), await subject.visitor()];
      const expiry = START + HOUR;
      // Visitors that stay active under later registrations are kept.
      for (subject.clock.now = START; subject.clock.now < expiry + 89 * DAY; subject.clock.now += 30 * DAY)
        for (const { id } of [early, late])
          await subject.send(await subject.register({ kind: "visitor", id }), [pageView(subject.clock.now)]);
      const mergeNow = async (visitor: { id: string; write: string }) => {
        await subject.service.sweep();
        const lead = await subject.lead();
        return subject.statuses(lead.write, [merge(subject.clock.now, visitor)]);
      };
      subject.clock.now = expiry + 90 * DAY;
      expect(await mergeNow(early)).toEqual(["accepted"]);
      subject.clock.now += 1;
      expect(await mergeNow(late)).toEqual(["rejected"]);
    });

    test("deletes a Live Chat session 31 days after its end, and an open one never", async () => {
      const subject = shared();
      const [ended, open] = [await subject.startChat(), await subject.startChat()];
      const path = "/v1/live-chat/sessions/current";
      const end = () => subject.call("DELETE", path, { authorization: `Bearer ${ended.token}` });
      await end();
      subject.clock.now += 31 * DAY;
      await subject.service.sweep();
      // Terminated again, which is idempotent as long as the session is stored.
      expect((await end()).status).toBe(204);
      subject.clock.now += 1;
      await subject.service.sweep();
      expect((await end()).status).toBe(401);
      subject.clock.now += 400 * DAY;
      await subject.service.sweep();
      expect((await subject.call("GET", path, { authorization: `Bearer ${open.token}` })).status).toBe(200);
    });

    test("keeps a used JWT's id until the JWT expires, and then deletes it", async () => {
      const subject = shared();
      const jti = randomUUID();
      const exp = (START + HOUR) / 1000;
      await subject.signIn({ jti, exp });
      // Until the end of the clock tolerance the JWT would be accepted.
      subject.clock.now = START + HOUR + MINUTE;
      await subject.service.sweep();
      await expect(subject.signIn({ jti })).rejects.toThrow(/^401/);
      subject.clock.now += 1;
      await subject.service.sweep();
      await expect(subject.signIn({ jti, exp })).rejects.toThrow(/^401/);
      await subject.signIn({ jti });
    });
  });
});
