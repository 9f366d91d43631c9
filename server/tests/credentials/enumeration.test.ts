import { describe, expect, test } from "vitest";
import { pageView, update } from "../support/operations.js";
import {
  onEachDriver,
  sharedService,
  signJwt,
  START,
  startService,
  type Subject,
} from "../support/start-service.js";

const SESSIONS = "/v1/live-chat/sessions";

const signInWith = (subject: Subject, jwt: string) =>
  subject.call("POST", `${SESSIONS}/authenticate`, { body: { jwt } });

describe("responses about ids and credentials", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("a visitor's id is answered as one that does not exist, to the byte", async () => {
      const subject = shared();
      const visitor = await subject.visitor();
      await subject.send(visitor.write, [pageView(START)]);
      for (const rest of ["", "/timeline"]) {
        const ask = async (id: string) => {
          const { status, headers, body } = await subject.call("GET", `/v1/persons/${id}${rest}`, {
            authorization: `App ${subject.adminKey}`,
          });
          return { status, headers: [...headers], body };
        };
        const unknown = await ask(crypto.randomUUID());
        expect(unknown.status).toBe(404);
        expect(await ask(visitor.id)).toEqual(unknown);
        expect(await ask("no-uuid")).toEqual(unknown);
      }
    });

    test("a visitor that is known is registered as one that is not: the answer tells no difference", async () => {
      const subject = shared();
      const id = crypto.randomUUID();
      const register = async () => {
        const { status, headers, body } = await subject.call<Record<string, string>>(
          "POST",
          "/v1/registrations",
          {
            authorization: `App ${subject.trackingKey}`,
            body: { profile: { kind: "visitor", id } },
          },
        );
        return { status, headers: [...headers], body: { ...body, token: body["token"]!.length } };
      };
      expect(await register()).toEqual(await register());
    });

    test("a person is refused alike whether it does not exist, is another's or is a visitor", async () => {
      const subject = shared();
      const [lead, other, visitor] = [await subject.lead(), await subject.lead(), await subject.visitor()];
      const register = async (id: string, liveChatToken: string) => {
        const { status, headers, body } = await subject.call("POST", "/v1/registrations", {
          authorization: `App ${subject.trackingKey}`,
          body: { profile: { kind: "lead", id }, liveChatToken },
        });
        return { status, headers: [...headers], body };
      };
      const unknown = await register(crypto.randomUUID(), other.token);
      expect(unknown.status).toBe(403);
      for (const id of [lead.person.id, visitor.id, "x"])
        expect(await register(id, other.token)).toEqual(unknown);
      expect(await register(lead.person.id, "wrong")).toEqual(unknown);
    });

    test("tokens that are unknown, expired, withdrawn or of another kind are answered alike", async () => {
      const subject = await startService(driver);
      const { write } = await subject.visitor();
      const { token } = await subject.startChat();
      const ended = await subject.startChat();
      await subject.call("DELETE", `${SESSIONS}/current`, { authorization: `Bearer ${ended.token}` });
      const ask = async (path: string, given: string) => {
        const { status, headers, body } = await subject.call("GET", path, {
          authorization: `Bearer ${given}`,
        });
        return { status, headers: [...headers], body };
      };
      const unknownChat = await ask(`${SESSIONS}/current`, "x");
      expect(unknownChat.status).toBe(401);
      for (const given of [ended.token, write])
        expect(await ask(`${SESSIONS}/current`, given)).toEqual(unknownChat);
      const unknown = await ask("/v1/definitions", "x");
      expect(unknown.status).toBe(401);
      expect(await ask("/v1/definitions", token)).toEqual(unknown);
      subject.clock.now += 2 * 60 * 60 * 1000;
      expect(await ask("/v1/definitions", write)).toEqual(unknown);
      subject.clock.now = START;
      await subject.service.keys.revoke(subject.trackingKey);
      expect(await ask("/v1/definitions", write)).toEqual(unknown);
    });

    test("whatever is wrong with a JWT, the answer is the same", async () => {
      const subject = shared();
      const used = await signJwt(START);
      await signInWith(subject, used);
      const ask = async (jwt: string) => {
        const { status, headers, body } = await signInWith(subject, jwt);
        return { status, headers: [...headers], body };
      };
      const nonsense = await ask("x");
      expect(nonsense.status).toBe(401);
      for (const jwt of [
        used,
        await signJwt(START, { iss: "widget-3" }),
        await signJwt(START, { ski: "key-2" }),
        await signJwt(START, {}, "another secret of a length that is enough"),
        await signJwt(START, { exp: START / 1000 - 3600 }),
        await signJwt(START, {}, undefined, { alg: "HS512" }),
      ])
        expect(await ask(jwt)).toEqual(nonsense);
    });

    test("a batch that is sent again changes nothing, whoever sends it", async () => {
      const subject = shared();
      const [lead, thief] = [await subject.lead(), await subject.visitor()];
      const operations = [pageView(START), update(START, { firstName: "Ada" })];
      expect(await subject.statuses(lead.write, operations)).toEqual(["accepted", "accepted"]);
      await subject.send(lead.write, [update(START, { firstName: "Grace" })]);
      expect(await subject.statuses(lead.write, operations)).toEqual(["duplicate", "duplicate"]);
      // Sent for another profile, the batch is that profile's own, and the person's stays unchanged.
      expect((await subject.statuses(thief.write, operations))[0]).toBe("accepted");
      expect(await subject.timeline(lead.person.id)).toHaveLength(1);
      expect((await subject.person(lead.person.id)).firstName).toBe("Grace");
    });
  });
});
