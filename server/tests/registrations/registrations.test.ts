import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { RegistrationAnswer } from "../../../src/protocol/wire.js";
import { DAY, HOUR, MINUTE } from "../../../src/protocol/wire.js";
import { pageView, sessionEnded } from "../support/operations.js";
import { iso, onEachDriver, sharedService, START, type Subject } from "../support/start-service.js";

const visitor = () => ({ kind: "visitor", id: randomUUID() });
const registerWith = (subject: Subject, authorization: string | undefined, body: unknown) =>
  subject.call<RegistrationAnswer>("POST", "/v1/registrations", {
    ...(authorization && { authorization }),
    body,
  });

describe("registrations", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("a registration says how long it is good for and which definitions there are", async () => {
      const subject = shared();
      const { status, body } = await registerWith(subject, `App ${subject.trackingKey}`, {
        profile: visitor(),
      });
      expect(status).toBe(200);
      expect(body).toEqual({
        token: expect.stringMatching(/^[\w-]{43}$/),
        expiresAt: iso(START + HOUR),
        expiresInMs: HOUR,
        definitionsVersion: expect.any(String),
      });
    });

    test.each(["App nonsense", "App", "Bearer x", undefined])(
      "the key %s is unknown",
      async (authorization) => {
        const { status, body } = await registerWith(shared(), authorization, { profile: visitor() });
        expect(status).toBe(401);
        expect(body).toMatchObject({ error: { origin: "people-service", platform: "people-service" } });
      },
    );

    test.each([
      [["people:read"]],
      [["web:tracking:sdk", "people:read"]],
      [["web:tracking:sdk", "web:tracking:sdk"]],
    ])("a key with the scopes %j is refused with 4031", async (scopes) => {
      const subject = shared();
      const { key } = await subject.service.keys.create({ scopes });
      const { status, body } = await registerWith(subject, `App ${key}`, { profile: visitor() });
      expect([status, body]).toMatchObject([403, { error: { code: 4031 } }]);
    });

    test("keys are kept as hashes alone", async () => {
      const subject = shared();
      const keys = JSON.stringify(await subject.service.keys.list());
      expect(keys).not.toContain(subject.trackingKey);
    });

    test("a revoked key's registrations are refused, and count again when it is restored", async () => {
      const subject = shared();
      const { id, key } = await subject.service.keys.create({ scopes: ["web:tracking:sdk"] });
      const { body } = await registerWith(subject, `App ${key}`, { profile: visitor() });
      const read = () => subject.call("GET", "/v1/definitions", { authorization: `Bearer ${body.token}` });
      await subject.service.keys.revoke(id);
      expect((await read()).status).toBe(401);
      expect((await registerWith(subject, `App ${key}`, { profile: visitor() })).status).toBe(401);
      await subject.service.keys.restore(key);
      expect((await read()).status).toBe(200);
    });

    test("a registration ends after an hour", async () => {
      const subject = shared();
      const { write } = await subject.visitor();
      subject.clock.now += HOUR;
      const answer = await subject.call("GET", "/v1/definitions", { authorization: `Bearer ${write}` });
      expect(answer.status).toBe(401);
    });

    test("the API key alone gives no right to a person", async () => {
      const subject = shared();
      const { person } = await subject.startChat();
      const other = await subject.startChat();
      for (const liveChatToken of [undefined, "", "nonsense", other.token]) {
        const body = { profile: person, ...(liveChatToken !== undefined && { liveChatToken }) };
        expect(await registerWith(subject, `App ${subject.trackingKey}`, body)).toMatchObject({
          status: 403,
          body: { error: { code: 4032 } },
        });
      }
    });

    test("a person's kind must be right", async () => {
      const subject = shared();
      const { person, token } = await subject.startChat();
      const profile = { ...person, kind: "authenticated" };
      const answer = await registerWith(subject, `App ${subject.trackingKey}`, {
        profile,
        liveChatToken: token,
      });
      expect(answer.status).toBe(403);
    });

    test.each([
      {},
      { profile: { kind: "visitor", id: "no uuid" } },
      { profile: { kind: "robot", id: "x" } },
      { profile: null },
      [],
    ])("the request %j is malformed", async (body) => {
      const subject = shared();
      expect((await registerWith(subject, `App ${subject.trackingKey}`, body)).status).toBe(400);
    });

    test("the token of a terminated Live Chat session registers for 30 days more", async () => {
      const subject = shared();
      const chat = await subject.startChat();
      await subject.call("DELETE", "/v1/live-chat/sessions/current", {
        authorization: `Bearer ${chat.token}`,
      });
      subject.clock.now += 30 * DAY;
      await subject.register(chat.person, chat.token);
      subject.clock.now += 1;
      await expect(subject.register(chat.person, chat.token)).rejects.toThrow(/^403.*4032/);
    });

    test("after a terminated session, a day's operations and the end of a session begun before are taken", async () => {
      const subject = shared();
      const chat = await subject.lead();
      await subject.statuses(chat.write, [pageView(START - MINUTE, { sessionId: "before" })]);
      await subject.call("DELETE", "/v1/live-chat/sessions/current", {
        authorization: `Bearer ${chat.token}`,
      });
      subject.clock.now += 3 * DAY;
      const write = await subject.register(chat.person, chat.token);
      const [late, later, end, other] = await subject.send(write, [
        pageView(START + DAY, { sessionId: "after" }),
        pageView(START + DAY + 1, { sessionId: "after" }),
        sessionEnded(START + DAY + MINUTE, { sessionId: "before" }),
        sessionEnded(START + DAY + MINUTE, { sessionId: "after" }),
      ]);
      expect([late, later, end, other].map((result) => result?.status)).toEqual([
        "accepted",
        "rejected",
        "accepted",
        "rejected",
      ]);
      expect(later?.error).toMatchObject({ name: "LiveChatEndedError" });
    });
  });
});
