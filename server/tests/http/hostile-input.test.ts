import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { append, event, pageView, update } from "../support/operations.js";
import { iso, onEachDriver, sharedService, START, type Subject } from "../support/start-service.js";

const post = (subject: Subject, write: string, raw: string) =>
  subject.call<{ results: { status: string }[] }>("POST", "/v1/batches", {
    authorization: `Bearer ${write}`,
    raw,
  });
const deep = (depth: number, [open, close] = ["[", "]"]) => open.repeat(depth) + close.repeat(depth);
/** As text, for the answer is parsed by the same parser. */
const answerOf = async (subject: Subject, write: string, raw: string | Uint8Array<ArrayBuffer>) => {
  const response = await subject.service.fetch(
    new Request("http://service.test/people/v1/batches", {
      method: "POST",
      headers: { authorization: `Bearer ${write}` },
      body: raw,
    }),
  );
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const batch = (operations: string) =>
  `{"id":"${randomUUID()}","sentAt":"${iso(START)}","sdk":"test","operations":[${operations}]}`;

describe("hostile input", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("NUL and halves of characters are kept as U+FFFD, whole characters as they are", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const text = String.raw`a\u0000b \ud83d \ude00 \ud83d\ude00 \\u0000 \\\u0000`;
      const raw = JSON.stringify(pageView(START, { properties: { title: "TEXT" } })).replace("TEXT", text);
      expect((await post(subject, write, batch(raw))).body.results).toMatchObject([{ status: "accepted" }]);
      expect((await subject.timeline(person.id))[0]?.properties).toEqual({
        title: "a\ufffdb \ufffd \ufffd \u{1f600} \\u0000 \\\ufffd",
      });
    });

    test("NUL in names, ids and tokens is refused or kept, never a failure", async () => {
      const subject = shared();
      const { write } = await subject.lead();
      expect(
        await subject.statuses(write, [
          update(START, { customAttributes: { "a\0b": "c\0d" } }),
          append(START, "l\0ist", { "i\0": "\ud800" }),
          event("a\0b", START),
          {
            id: "merge",
            type: "profile.merge",
            occurredAt: iso(START),
            from: { kind: "visitor", id: "\0", token: "\0" },
          },
        ]),
      ).toEqual(["accepted", "accepted", "rejected", "rejected"]);
      const profile = { kind: "lead", id: "a\0b" };
      await expect(subject.register(profile, "c\0d")).rejects.toThrow(/^403/);
      for (const id of ["%00", "a%00b", "%F0%9F", "..%2f", "'%20or%201=1"])
        expect(
          (await subject.call("GET", `/v1/persons/${id}`, { authorization: `App ${subject.adminKey}` }))
            .status,
        ).toBe(404);
    });

    test("a body that is nested too deep is refused before it is parsed, wherever it is deep", async () => {
      const subject = shared();
      const { write } = await subject.visitor();
      const parse = vi.spyOn(JSON, "parse");
      onTestFinished(() => parse.mockRestore());
      const inTitle = (value: string) => batch(JSON.stringify(pageView(START)).replace('"Shop"', value));
      for (const raw of [
        deep(200_000),
        deep(100_000, ['{"a":', "}"]),
        inTitle(deep(200_000)),
        batch(JSON.stringify(pageView(START))).replace('"sdk"', `"more":${deep(33)},"sdk"`),
        gzipSync(deep(500_000)),
      ]) {
        const { status, headers, text } = await answerOf(subject, write, raw);
        expect([status, headers.get("content-type")]).toEqual([400, "application/json"]);
        expect(text).toContain("nested deeper than 32");
      }
      expect(parse).not.toHaveBeenCalled();
      // Brackets in a string are no depth, and a field of a later version is allowed.
      const { body } = await post(subject, write, inTitle(JSON.stringify(deep(1000))));
      expect(body.results).toMatchObject([{ status: "accepted" }]);
      const later = batch(JSON.stringify(pageView(START))).replace('"sdk"', `"more":${deep(31)},"sdk"`);
      expect((await post(subject, write, later)).status).toBe(200);
    });

    test("prototype keys reach no prototype", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const raw = JSON.stringify(update(START, { firstName: "x" })).replace('"firstName"', '"__proto__"');
      const nested = JSON.stringify(update(START, { customAttributes: { a: 1 } })).replace(
        '"a":1',
        '"__proto__":"x"',
      );
      const { body } = await post(subject, write, batch(`${raw},${nested}`));
      expect(body.results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
      expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
      expect(
        await subject.statuses(write, [
          update(START, { customAttributes: { toString: "x", hasOwnProperty: "y" } }),
        ]),
      ).toEqual(["accepted"]);
      expect((await subject.person(person.id)).customAttributes).toEqual({
        toString: "x",
        hasOwnProperty: "y",
      });
    });

    test("numbers and times at their limits are answered", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      await subject.service.definitions.put({ id: "n", properties: { n: "decimal" } });
      const numbers = ["1e308", "-1e308", "5e-324", "1e400", "-0", "123456789012345678901234567890"];
      const operations = numbers.map((number) =>
        JSON.stringify(event("n", START, { properties: { n: 1 } })).replace('"n":1', `"n":${number}`),
      );
      const { body } = await post(subject, write, batch(operations.join()));
      expect(body.results.filter(({ status }) => status === "rejected")).toHaveLength(1);
      expect((await subject.timeline(person.id))[0]?.properties).toEqual({ n: 1e308 });
      for (const year of ["0000", "0001", "9999"]) {
        const at = Date.parse(`${year}-12-31T23:59:59.999Z`);
        await subject.send(write, [pageView(at)]);
        expect(await subject.statuses(write, [pageView(at)], { sentAt: at })).toEqual(["accepted"]);
      }
    });

    test("SQL and script in a string stay a string", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const text = `'); drop table events; -- "$1 \${x} <script>alert(1)</script>`;
      await subject.send(write, [
        pageView(START, { properties: { title: text } }),
        update(START, { city: "'; --" }),
      ]);
      expect((await subject.timeline(person.id))[0]?.properties).toEqual({ title: text });
      expect(await subject.person(person.id)).toMatchObject({ city: "'; --" });
    });

    test("whatever is posted anywhere, no answer is a 5xx", async () => {
      const subject = shared();
      const { write, token } = await subject.lead();
      const value = fc.oneof(
        fc.jsonValue(),
        fc.string({ unit: "binary" }).map((text) => ({ text })),
        fc.record({ profile: fc.jsonValue(), liveChatToken: fc.string({ unit: "binary" }) }),
        fc.record({ jwt: fc.string(), sessionId: fc.string({ unit: "binary" }) }),
        fc.record({
          id: fc.string(),
          sentAt: fc.constantFrom(iso(START), "0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"),
          sdk: fc.string(),
          operations: fc.array(
            fc.oneof(
              fc.record(
                {
                  id: fc.stringMatching(/^[\w-]{1,36}$/),
                  type: fc.constantFrom("event", "person.update", "list.append", "profile.merge"),
                  occurredAt: fc.constantFrom(iso(START), "0000-01-01T00:00:00.000Z"),
                  sessionId: fc.constantFrom("session", "x"),
                  definitionId: fc.constantFrom("pageView", "sessionEnded", "constructor"),
                  properties: fc.dictionary(fc.string(), fc.jsonValue()),
                  person: fc.dictionary(fc.constantFrom("tags", "city", "customAttributes"), fc.jsonValue()),
                  attribute: fc.string({ unit: "binary" }),
                  item: fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
                  from: fc.record({ kind: fc.constant("visitor"), id: fc.uuid(), token: fc.string() }),
                },
                { requiredKeys: ["id", "type"] },
              ),
              fc.jsonValue(),
            ),
            { maxLength: 5 },
          ),
        }),
      );
      const route = fc.constantFrom(
        ["POST", "/v1/registrations", `App ${subject.trackingKey}`] as const,
        ["POST", "/v1/batches", `Bearer ${write}`] as const,
        ["POST", "/v1/live-chat/sessions", ""] as const,
        ["POST", "/v1/live-chat/sessions/authenticate", ""] as const,
        ["PUT", "/v1/definitions/fuzz", `App ${subject.adminKey}`] as const,
        ["DELETE", "/v1/live-chat/sessions/current", `Bearer x${token}`] as const,
      );
      await fc.assert(
        fc.asyncProperty(route, value, async ([method, path, authorization], body) => {
          const { status } = await subject.call(method, path, { authorization, raw: JSON.stringify(body) });
          expect(status).toBeLessThan(500);
        }),
        { numRuns: 300 },
      );
    });
  });
});
