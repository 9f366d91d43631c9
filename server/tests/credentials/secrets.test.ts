import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { sql } from "drizzle-orm";
import { Client } from "pg";
import { pino } from "pino";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { HOUR } from "../../../src/protocol/wire.js";
import { openDatabase } from "../../src/database/open-database.js";
import { merge, pageView, update } from "../support/operations.js";
import { preparedFolder } from "../support/prepared-folder.js";
import {
  newDatabase,
  onEachDriver,
  sharedService,
  signJwt,
  START,
  startService,
  type Driver,
  type Subject,
} from "../support/start-service.js";

vi.mock("node:crypto", { spy: true });

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** @returns a function that gives what was sent to the database since its last call */
function listenToDatabase(driver: Driver): () => string[] {
  const spy =
    driver === "PGlite"
      ? vi.spyOn(PGlite.prototype, "execProtocolRawSync")
      : vi.spyOn(Client.prototype, "query");
  onTestFinished(() => spy.mockRestore());
  return () => {
    const messages = spy.mock.calls.map(([given]: unknown[], index) =>
      given instanceof Uint8Array
        ? Buffer.from(given).toString("latin1")
        : JSON.stringify(spy.mock.calls[index]),
    );
    spy.mockClear();
    return messages;
  };
}

/** A logger at the lowest level, with its output. */
function keepLogs() {
  const lines: string[] = [];
  return { lines, logger: pino({ level: "trace" }, { write: (line: string) => void lines.push(line) }) };
}

/** Sends a secret in every way in which the service receives one. */
async function useSecrets(subject: Subject): Promise<{ tokens: string[]; jwt: string }> {
  const { service, trackingKey, adminKey } = subject;
  const { id, key } = await service.keys.create({ scopes: ["web:tracking:sdk"], key: "a key of our own" });
  expect(await service.keys.revoke(key)).toBe(true);
  expect(await service.keys.restore(key)).toBe(true);
  expect(await service.keys.revoke(id)).toBe(true);
  const [visitor, lead] = [await subject.visitor(), await subject.lead()];
  expect(await subject.statuses(lead.write, [pageView(START), merge(START, visitor)])).toEqual([
    "accepted",
    "accepted",
  ]);
  const jwt = await signJwt(START);
  const signed = await subject.call<{ token: string }>("POST", "/v1/live-chat/sessions/authenticate", {
    body: { jwt, sessionId: lead.sessionId },
  });
  const authorization = `Bearer ${signed.body.token}`;
  for (const method of ["GET", "DELETE"])
    expect(
      (await subject.call(method, "/v1/live-chat/sessions/current", { authorization })).status,
    ).toBeLessThan(300);
  await subject.person(lead.person.id);
  const tokens = [key, trackingKey, adminKey, visitor.write, lead.write, lead.token, signed.body.token];
  return { tokens, jwt };
}

describe("secrets", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("no key, token or signature goes to the database or into the logs, only their hashes", async () => {
      const { lines, logger } = keepLogs();
      const heard = listenToDatabase(driver);
      const subject = await startService(driver, { logger });
      const { tokens, jwt } = await useSecrets(subject);
      const secrets = [...tokens, jwt, jwt.split(".")[2]!];
      const messages = heard();
      const withSecret = (text: string): boolean => secrets.some((secret) => text.includes(secret));
      expect(messages.filter(withSecret)).toEqual([]);
      expect(lines.filter(withSecret)).toEqual([]);
      // The inspected text contains what was sent and logged.
      const isSent = (text: string): boolean => messages.some((message) => message.includes(text));
      expect(tokens.filter((token) => !isSent(sha256(token)))).toEqual([]);
      expect(lines.join()).toContain("/people/v1/registrations");
    });

    test("the logs of a failed statement name neither what a person did nor the right to it", async () => {
      const { lines, logger } = keepLogs();
      const database = driver === "PGlite" ? { dataDir: await preparedFolder() } : await newDatabase(driver);
      // As after a faulty migration.
      const { db, close } = await openDatabase(database, {
        onError: () => undefined,
        onWaiting: () => undefined,
      });
      await db.execute(
        sql`alter table events add constraint no_title check (properties ->> 'title' is null)`,
      );
      await db.execute(
        sql`alter table profiles add constraint no_name check (fields ->> 'firstName' is null)`,
      );
      await close();
      const subject = await startService(driver, { database, logger });
      const { write } = await subject.lead();
      for (const operation of [
        pageView(START, {
          properties: { url: "https://shop.example/", title: "Secret title", referrer: "" },
        }),
        update(START, { firstName: "Secret name" }),
      ])
        await expect(subject.send(write, [operation])).rejects.toThrow(/^500/);
      const failures = lines.filter((line) => line.includes("request failed"));
      expect(failures).toHaveLength(2);
      expect(failures[0]).toContain("no_title");
      expect(failures[0]).toContain("insert into");
      expect(failures.join()).not.toContain("Secret");
      expect(failures.join()).not.toContain(sha256(write));
    });

    test("a key that is nearly right, revoked or anything else takes the way of an unknown one", async () => {
      const subject = shared();
      const { id, key: revoked } = await subject.service.keys.create({ scopes: ["web:tracking:sdk"] });
      await subject.service.keys.revoke(id);
      const right = subject.trackingKey;
      const heard = listenToDatabase(driver);
      const ask = async (key: string) => {
        heard();
        const { status, headers, body } = await subject.call("POST", "/v1/registrations", {
          authorization: `App ${key}`,
          body: { profile: { kind: "visitor", id: "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d" } },
        });
        return { status, headers: [...headers], body, messages: heard().length };
      };
      const unknown = await ask("x".repeat(right.length));
      expect(unknown).toMatchObject({ status: 401, messages: expect.any(Number) });
      expect(unknown.messages).toBeGreaterThan(0);
      for (const key of [
        revoked,
        `${right.slice(0, -1)}${right.endsWith("A") ? "B" : "A"}`,
        `${right[0] === "A" ? "B" : "A"}${right.slice(1)}`,
        right.slice(0, -1),
        `${right}A`,
        right.toUpperCase(),
        sha256(right),
        id,
        "'; drop table api_keys; --".replaceAll(" ", "/**/"),
        "\u00ff",
        "x".repeat(10_000),
      ])
        expect(await ask(key), key).toEqual(unknown);
      expect((await ask(right)).status).toBe(200);
    });

    test("a visitor's id and a token that was good take the database as long as unknown ones", async () => {
      const subject = shared();
      const [visitor, expired] = [await subject.visitor(), await subject.visitor()];
      const { id, key } = await subject.service.keys.create({ scopes: ["web:tracking:sdk"] });
      const { body } = await subject.call<{ token: string }>("POST", "/v1/registrations", {
        authorization: `App ${key}`,
        body: { profile: { kind: "visitor", id: visitor.id } },
      });
      await subject.service.keys.revoke(id);
      const chat = await subject.startChat();
      await subject.call("DELETE", "/v1/live-chat/sessions/current", {
        authorization: `Bearer ${chat.token}`,
      });
      subject.clock.now += 2 * HOUR;
      const heard = listenToDatabase(driver);
      const messagesOf = async (path: string, authorization: string, status: number) => {
        heard();
        expect((await subject.call("GET", path, { authorization })).status).toBe(status);
        return heard().length;
      };
      const [admin, unknown] = [`App ${subject.adminKey}`, "Bearer unknown"];
      for (const [path, otherPath, authorization, otherAuthorization, status] of [
        [`/v1/persons/${visitor.id}`, `/v1/persons/${randomUUID()}`, admin, admin, 404],
        [`/v1/persons/${visitor.id}/timeline`, `/v1/persons/${randomUUID()}/timeline`, admin, admin, 404],
        ["/v1/definitions", "/v1/definitions", `Bearer ${body.token}`, unknown, 401],
        ["/v1/definitions", "/v1/definitions", `Bearer ${expired.write}`, unknown, 401],
        [
          "/v1/live-chat/sessions/current",
          "/v1/live-chat/sessions/current",
          `Bearer ${chat.token}`,
          unknown,
          401,
        ],
      ] as const) {
        const messages = await messagesOf(path, authorization, status);
        expect(messages).toBeGreaterThan(0);
        expect(await messagesOf(otherPath, otherAuthorization, status)).toBe(messages);
      }
    });

    test("a key's hash and a JWT's signature are compared in constant time", async () => {
      const subject = shared();
      vi.mocked(timingSafeEqual).mockClear();
      await subject.visitor();
      const hash = Buffer.from(sha256(subject.trackingKey));
      expect(vi.mocked(timingSafeEqual).mock.calls).toEqual([[hash, hash]]);

      const verify = vi.spyOn(crypto.subtle, "verify");
      onTestFinished(() => verify.mockRestore());
      const jwt = await signJwt(START, {}, "another secret");
      const answer = await subject.call("POST", "/v1/live-chat/sessions/authenticate", { body: { jwt } });
      expect(answer.status).toBe(401);
      expect(verify).toHaveBeenCalledTimes(1);
      const [algorithm, key, signature] = verify.mock.calls[0]!;
      expect([algorithm, key]).toMatchObject([{ name: "HMAC" }, { type: "secret" }]);
      expect(Buffer.from(signature as Uint8Array).toString("base64url")).toBe(jwt.split(".")[2]);
    });
  });
});
