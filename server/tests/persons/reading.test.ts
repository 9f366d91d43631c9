import { describe, expect, test } from "vitest";
import type { DefinitionsAnswer } from "../../../src/protocol/wire.js";
import type { Person, TimelineEntry } from "../../src/index.js";
import { pageView } from "../support/operations.js";
import { onEachDriver, sharedService, START, type Subject } from "../support/start-service.js";

const readTimeline = (subject: Subject, id: string, query: string) =>
  subject.call<{ entries: TimelineEntry[]; next: string | null }>(
    "GET",
    `/v1/persons/${id}/timeline?${query}`,
    { authorization: `App ${subject.adminKey}` },
  );

describe("reading persons and definitions", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test("reading back needs the scope people:read, definitions need people:manage", async () => {
      const subject = shared();
      const { person } = await subject.startChat();
      const { key } = await subject.service.keys.create({ scopes: ["people:manage"] });
      for (const path of ["/v1/persons", `/v1/persons/${person.id}`, `/v1/persons/${person.id}/timeline`]) {
        expect((await subject.call("GET", path)).status).toBe(401);
        expect(
          (await subject.call("GET", path, { authorization: `App ${subject.trackingKey}` })).status,
        ).toBe(403);
        expect((await subject.call("GET", path, { authorization: `App ${key}` })).status).toBe(403);
        expect((await subject.call("GET", path, { authorization: `App ${subject.adminKey}` })).status).toBe(
          200,
        );
      }
      const put = { authorization: `App ${subject.trackingKey}`, body: { properties: {} } };
      expect((await subject.call("PUT", "/v1/definitions/x", put)).status).toBe(403);
    });

    test("a timeline is read in pages without duplicates or gaps", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const operations = Array.from({ length: 25 }, (_, index) => pageView(START - Math.floor(index / 3)));
      await subject.send(write, operations);
      const seen: string[] = [];
      for (let after = ""; after !== "end";) {
        const { body } = await subject.call<{ entries: TimelineEntry[]; next: string | null }>(
          "GET",
          `/v1/persons/${person.id}/timeline?limit=4&after=${after}`,
          { authorization: `App ${subject.adminKey}` },
        );
        seen.push(...body.entries.map(({ id }) => id ?? ""));
        after = body.next ?? "end";
      }
      expect(seen).toEqual((await subject.timeline(person.id)).map(({ id }) => id));
      expect(seen).toHaveLength(25);
    });

    test("a timeline is read newest first, in pages without duplicates or gaps", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      await subject.send(
        write,
        Array.from({ length: 25 }, (_, index) => pageView(START - Math.floor(index / 3))),
      );
      const seen: string[] = [];
      for (let after = ""; after !== "end";) {
        const { body } = await readTimeline(subject, person.id, `order=newest&limit=4&after=${after}`);
        seen.push(...body.entries.map(({ id }) => id ?? ""));
        after = body.next ?? "end";
      }
      expect(seen).toEqual((await subject.timeline(person.id)).map(({ id }) => id).toReversed());
    });

    test("a cursor is valid in both orders: the other order reads back from it", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      // All at the same millisecond, so that only the order of acceptance distinguishes them.
      await subject.send(
        write,
        Array.from({ length: 6 }, () => pageView(START)),
      );
      const all = (await subject.timeline(person.id)).map(({ cursor }) => cursor);
      const cursors = async (query: string) =>
        (await readTimeline(subject, person.id, query)).body.entries.map(({ cursor }) => cursor);
      expect(await cursors(`order=newest&after=${all[2]!}`)).toEqual([all[1], all[0]]);
      expect(await cursors(`order=oldest&after=${all[2]!}`)).toEqual([all[3], all[4], all[5]]);
      expect(await cursors(`after=${all[2]!}`)).toEqual([all[3], all[4], all[5]]);
      expect(await cursors(`order=newest&after=${all[0]!}`)).toEqual([]);
    });

    test("persons are listed in pages", async () => {
      const subject = shared();
      const chats = [await subject.startChat(), await subject.startChat(), await subject.startChat()];
      const seen: string[] = [];
      for (let after = ""; after !== "end";) {
        const { body } = await subject.call<{ persons: Person[]; next: string | null }>(
          "GET",
          `/v1/persons?limit=2&after=${after}`,
          { authorization: `App ${subject.adminKey}` },
        );
        seen.push(...body.persons.map(({ id }) => id));
        after = body.next ?? "end";
      }
      expect(seen.slice(-3)).toEqual(chats.map(({ person }) => person.id));
      expect(new Set(seen).size).toBe(seen.length);
    });

    test.each([
      "order=backwards",
      "order=",
      "limit=0",
      "limit=1001",
      "limit=x",
      "after=x",
      "after=1-1%00",
      "after=1-99999999999999999999",
    ])("the page %s is a 400", async (query) => {
      const subject = shared();
      const { person } = await subject.startChat();
      const answer = await subject.call("GET", `/v1/persons/${person.id}/timeline?${query}`, {
        authorization: `App ${subject.adminKey}`,
      });
      expect(answer.status).toBe(400);
    });

    test("definitions are written, listed with an ETag, and not sent again while they are unchanged", async () => {
      const subject = shared();
      const authorization = `App ${subject.adminKey}`;
      const body = { title: "Bought", properties: { name: "string", price: "decimal" } };
      const put = await subject.call("PUT", "/v1/definitions/bought", { authorization, body });
      expect([put.status, put.body]).toEqual([200, { id: "bought", ...body }]);

      const { write } = await subject.visitor();
      const read = (tag?: string) =>
        subject.call<DefinitionsAnswer>("GET", "/v1/definitions", {
          authorization: `Bearer ${write}`,
          headers: tag ? { "if-none-match": tag } : {},
        });
      const first = await read();
      expect(first.body.definitions).toEqual([{ id: "bought", ...body }]);
      const tag = first.headers.get("etag")!;
      expect(tag).toBe(`"${first.body.version}"`);
      for (const candidate of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
        const again = await read(candidate);
        expect([again.status, again.body, again.headers.get("etag")]).toEqual([304, "", tag]);
      }
      await subject.call("PUT", "/v1/definitions/sold", { authorization, body });
      expect((await read(tag)).status).toBe(200);
    });

    test.each([
      ["pageView", { properties: {} }],
      ["a-b", { properties: {} }],
      ["x".repeat(37), { properties: {} }],
      ["x", {}],
      ["x", { properties: { Name: "string" } }],
      ["x", { properties: { name: "text" } }],
      ["x", { properties: { a: "list", b: "list" } }],
      ["x", { properties: { ab: "string", aB: "string" } }],
    ])("%s cannot be defined as %j", async (id, body) => {
      const subject = shared();
      const answer = await subject.call("PUT", `/v1/definitions/${id}`, {
        authorization: `App ${subject.adminKey}`,
        body,
      });
      expect(answer.status).toBe(400);
    });
  });
});
