import { createHmac, randomUUID } from "node:crypto";
import { SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { HOUR, MINUTE } from "../../../src/protocol/wire.js";
import type { Widget } from "../../src/live-chat/widget-jwt.js";
import { pageView } from "../support/operations.js";
import {
  onEachDriver,
  OTHER_WIDGET,
  sharedService,
  signJwt,
  START,
  WIDGET,
  type Subject,
} from "../support/start-service.js";

const path = "/v1/live-chat/sessions";
const signInTo = (
  subject: Subject,
  { id, keys }: Widget,
  claims: Record<string, unknown>,
  sessionId?: string,
) => subject.signIn({ iss: id, ...claims }, sessionId, keys[0]!.secret);
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

describe("Live Chat", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("a chat makes a lead that can be read", async () => {
      const subject = shared();
      const { status, body } = await subject.call<{ person: { id: string } }>("POST", path, { body: {} });
      expect([status, body]).toMatchObject([201, { person: { kind: "lead" } }]);
      expect(await subject.person(body.person.id)).toMatchObject({ id: body.person.id, kind: "lead" });
    });

    test("the first authentication makes the profile, later ones find it", async () => {
      const subject = shared();
      const sub = randomUUID();
      const first = await subject.signIn({ sub });
      const second = await subject.signIn({ sub });
      expect(second.person).toEqual(first.person);
      expect(second.sessionId).not.toBe(first.sessionId);
      expect((await subject.signIn({ sub, stp: "externalPersonId" })).person.id).not.toBe(first.person.id);
    });

    test("the same subject under two widgets is two persons", async () => {
      const subject = shared();
      const sub = randomUUID();
      const first = await subject.signIn({ sub });
      const other = await signInTo(subject, OTHER_WIDGET, { sub });
      expect(other.person.id).not.toBe(first.person.id);
      expect((await subject.signIn({ sub })).person).toEqual(first.person);
      expect((await signInTo(subject, OTHER_WIDGET, { sub })).person).toEqual(other.person);
    });

    test("a session of one widget's user ends where another widget's same subject signs in to it", async () => {
      const subject = shared();
      const sub = randomUUID();
      const first = await subject.signIn({ sub });
      const other = await signInTo(subject, OTHER_WIDGET, { sub }, first.sessionId);
      expect(other.sessionId).not.toBe(first.sessionId);
    });

    test("a JWT is valid from a minute before its nbf until a minute after its exp", async () => {
      const subject = shared();
      const now = START / 1000;
      for (const claims of [
        { nbf: now + 60, iat: now + 60 },
        { iat: now - 3600, exp: now - 59 },
        { exp: now + 86_400 },
      ])
        expect((await subject.signIn(claims)).person.kind).toBe("authenticated");
    });

    test("a widget may set the maximum lifetime of its JWTs", async () => {
      const subject = shared();
      const widget = { ...OTHER_WIDGET, id: randomUUID(), maxJwtLifetimeMs: 5 * MINUTE };
      subject.service.widgets.put(widget);
      await signInTo(subject, widget, { exp: START / 1000 + 300 });
      await expect(signInTo(subject, widget, { exp: START / 1000 + 301 })).rejects.toThrow(/^401/);
    });

    test.each([
      ["no id", { ...WIDGET, id: "" }, /a widget needs an id/i],
      ["no keys", { ...WIDGET, keys: [] }, /needs at least one key/],
      [
        "a secret of 31 bytes",
        { ...WIDGET, keys: [{ id: "key-1", secret: "x".repeat(31) }] },
        /secret of the key key-1 of the widget widget-1 has 31 bytes; it needs at least 32/,
      ],
      ["a lifetime that is no number", { ...WIDGET, maxJwtLifetimeMs: NaN }, /maxJwtLifetimeMs/],
      ["a lifetime without end", { ...WIDGET, maxJwtLifetimeMs: Infinity }, /maxJwtLifetimeMs/],
    ])("a widget with %s is refused with what is wrong", (_, widget, problem) => {
      expect(() => shared().service.widgets.put(widget)).toThrow(problem);
    });

    test("32 bytes of a secret are enough, however many characters they are", () => {
      const widget = { id: randomUUID(), keys: [{ id: "key-1", secret: "ě".repeat(16) }] };
      expect(() => shared().service.widgets.put(widget)).not.toThrow();
    });

    test("two concurrent first authentications create one profile", async () => {
      const subject = shared();
      const sub = randomUUID();
      const chats = await Promise.all([1, 2, 3].map(() => subject.signIn({ sub })));
      expect(new Set(chats.map(({ person }) => person.id)).size).toBe(1);
    });

    test("a lead's session becomes the user's", async () => {
      const subject = shared();
      const lead = await subject.lead();
      const user = await subject.signIn({ sub: randomUUID() }, lead.sessionId);
      expect(user).toMatchObject({ sessionId: lead.sessionId, person: { kind: "authenticated" } });
      const { body } = await subject.call("GET", `${path}/current`, {
        authorization: `Bearer ${lead.token}`,
      });
      expect(body).toEqual({ sessionId: lead.sessionId, person: user.person });
      // Operations that wait for the lead may still be sent, and the lead's token is not valid for the user.
      expect(await subject.statuses(lead.write, [pageView(START)])).toEqual(["accepted"]);
      await subject.register(lead.person, lead.token);
      await expect(subject.register(user.person, lead.token)).rejects.toThrow(/4032/);
    });

    test("the same user's session continues; another user's is terminated", async () => {
      const subject = shared();
      const sub = randomUUID();
      const first = await subject.signIn({ sub });
      expect((await subject.signIn({ sub }, first.sessionId)).sessionId).toBe(first.sessionId);
      const other = await subject.signIn({ sub: randomUUID() }, first.sessionId);
      expect(other.sessionId).not.toBe(first.sessionId);
      const current = await subject.call("GET", `${path}/current`, {
        authorization: `Bearer ${first.token}`,
      });
      expect(current.status).toBe(401);
    });

    test("a terminated or unknown session's id is not used again", async () => {
      const subject = shared();
      const chat = await subject.startChat();
      const authorization = `Bearer ${chat.token}`;
      expect((await subject.call("GET", `${path}/current`, { authorization })).status).toBe(200);
      expect((await subject.call("DELETE", `${path}/current`, { authorization })).status).toBe(204);
      expect((await subject.call("GET", `${path}/current`, { authorization })).status).toBe(401);
      expect((await subject.call("DELETE", `${path}/current`, { authorization })).status).toBe(204);
      for (const id of [chat.sessionId, "unknown"])
        expect((await subject.signIn({}, id)).sessionId).not.toBe(id);
    });

    test("an unknown Live Chat token is a 401", async () => {
      for (const method of ["GET", "DELETE"])
        expect((await shared().call(method, `${path}/current`, { authorization: "Bearer x" })).status).toBe(
          401,
        );
    });

    test("a jti that was used is refused", async () => {
      const subject = shared();
      const jwt = await signJwt(START);
      const statuses = [];
      for (let index = 0; index < 2; index++)
        statuses.push((await subject.call("POST", `${path}/authenticate`, { body: { jwt } })).status);
      expect(statuses).toEqual([200, 401]);
    });

    test("of many concurrent uses of a jti one succeeds, also at the moment of its expiry", async () => {
      const subject = shared();
      const jwt = await signJwt(START, { exp: START / 1000 + 0.5 });
      const redeem = async () =>
        (await subject.call("POST", `${path}/authenticate`, { body: { jwt } })).status;
      expect((await Promise.all([1, 2, 3, 4, 5].map(redeem))).toSorted((a, b) => a - b)).toEqual([
        200, 401, 401, 401, 401,
      ]);
      subject.clock.now += MINUTE + 900;
      await subject.service.sweep();
      expect(await redeem()).toBe(401);
    });

    const secret = new TextEncoder().encode(WIDGET.keys[0]!.secret);
    const claims = {
      iss: WIDGET.id,
      ski: "key-1",
      stp: "email",
      sub: "a@example.com",
      jti: "jti",
      iat: START / 1000,
      exp: (START + HOUR) / 1000,
    };
    /** Signed with the right secret, whatever the header says. */
    const withHeader = (header: object): string => {
      const text = `${encode(header)}.${encode({ ...claims, jti: randomUUID() })}`;
      return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
    };
    test("a JWT made by hand is accepted if its header is valid", async () => {
      const jwt = withHeader({ alg: "HS256" });
      expect((await shared().call("POST", `${path}/authenticate`, { body: { jwt } })).status).toBe(200);
    });
    test.each<[string, () => string | Promise<string>]>([
      ["no JWT", () => "nonsense"],
      ["one of another secret", () => signJwt(START, {}, "another secret")],
      ["one of an unknown widget", () => signJwt(START, { iss: "widget-3" })],
      ["one of another widget's secret", () => signJwt(START, { iss: "widget-2" })],
      ["one of an unknown key", () => signJwt(START, { ski: "key-2" })],
      ["an unsigned one", () => new UnsecuredJWT(claims).encode()],
      [
        "one of another algorithm",
        () => new SignJWT(claims).setProtectedHeader({ alg: "HS512" }).sign(secret),
      ],
      ["one whose header says none above a signature", () => withHeader({ alg: "none" })],
      ["one whose header says None", () => withHeader({ alg: "None" })],
      ["one of a public key's algorithm", () => withHeader({ alg: "RS256" })],
      [
        "one with a key of its own in its header",
        () => withHeader({ alg: "RS256", jwk: { kty: "oct", k: "eA" } }),
      ],
      ["one with a header that must be understood", () => withHeader({ alg: "HS256", crit: ["x"], x: 1 })],
      ["one whose key id is a list", () => signJwt(START, { ski: ["key-1"] })],
      ["one whose widget is a prototype", () => signJwt(START, { iss: "__proto__" })],
      ["one that is not yet good", () => signJwt(START, { nbf: (START + HOUR) / 1000 })],
      ["one that is good a minute and a second too late", () => signJwt(START, { nbf: START / 1000 + 61 })],
      ["one whose nbf is a text", () => signJwt(START, { nbf: "now" })],
      ["one that is good for more than a day", () => signJwt(START, { exp: START / 1000 + 86_401 })],
      [
        "one that is good for a day longer than it says, issued tomorrow",
        () => signJwt(START, { iat: START / 1000 + 86_400, exp: START / 1000 + 2 * 86_400 }),
      ],
      ["one that is good for 28,000 years", () => signJwt(START, { exp: 900_000_000_000 })],
      ["one from before all times", () => signJwt(START, { iat: -1 })],
      ["an expired one", () => signJwt(START, { exp: (START - 2 * MINUTE) / 1000 })],
      ["one from the future", () => signJwt(START, { iat: (START + HOUR) / 1000 })],
      ["one that never expires", () => signJwt(START, { exp: undefined })],
      ["one without a jti", () => signJwt(START, { jti: undefined })],
      ["one without a subject", () => signJwt(START, { sub: "" })],
      ["one of another kind of subject", () => signJwt(START, { stp: "personId" })],
      ["one with a NUL in its subject", () => signJwt(START, { sub: "a\0b" })],
      ["one with a NUL in its jti", () => signJwt(START, { jti: "a\0b" })],
      ["one with an endless subject", () => signJwt(START, { sub: "x".repeat(5000) })],
      ["one with an expiry beyond all numbers", () => signJwt(START, { exp: 1e300 })],
    ])("%s is a 401", async (_, makeJwt) => {
      const answer = await shared().call("POST", `${path}/authenticate`, { body: { jwt: await makeJwt() } });
      expect([answer.status, answer.body]).toMatchObject([401, { error: { name: "UnauthorizedError" } }]);
    });
  });
});
