import { randomUUID } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { event, pageView, update } from "../support/operations.js";
import { iso, onEachDriver, sharedService, START, type Subject } from "../support/start-service.js";

const envelope = (operations: unknown) => ({ id: randomUUID(), sentAt: iso(START), sdk: "test", operations });
const post = (
  subject: Subject,
  write: string,
  raw: string | Uint8Array,
  headers: Record<string, string> = {},
) => subject.call("POST", "/v1/batches", { authorization: `Bearer ${write}`, raw, headers });

const MIB = 1024 * 1024;
const padded = (bytes: number): string => JSON.stringify(envelope([pageView(START)])).padEnd(bytes);

describe("batches", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver, { limits: { operationsPerBatch: 100 } });

    test("results are in the order of the request, and each operation is accepted or rejected by itself", async () => {
      const subject = shared();
      const { write } = await subject.lead();
      const good = pageView(START);
      const operations = [good, { id: "bad", type: "event" }, { id: "odd", type: "odd" }, pageView(START)];
      const results = await subject.send(write, operations);
      expect(results.map(({ id, status }) => [id, status])).toEqual([
        [good.id, "accepted"],
        ["bad", "rejected"],
        ["odd", "rejected"],
        [operations[3]!.id, "accepted"],
      ]);
      expect(results[1]!.error).toEqual({
        code: expect.any(Number),
        name: "InvalidOperationError",
        message: expect.any(String),
      });
    });

    test("the results of many operations travel compressed where the client takes that, those of a few as they are", async () => {
      const subject = shared();
      const { write } = await subject.lead();
      const encodingFor = async (count: number, accepted: string): Promise<string | null> => {
        const operations = Array.from({ length: count }, () => pageView(START));
        const response = await subject.service.fetch(
          new Request("http://service.test/people/v1/batches", {
            method: "POST",
            headers: { authorization: `Bearer ${write}`, "accept-encoding": accepted },
            body: JSON.stringify(envelope(operations)),
          }),
        );
        const encoding = response.headers.get("content-encoding");
        const bytes = Buffer.from(await response.arrayBuffer());
        const { results } = JSON.parse((encoding === "gzip" ? gunzipSync(bytes) : bytes).toString()) as {
          results: { status: string }[];
        };
        expect(results.map(({ status }) => status)).toEqual(operations.map(() => "accepted"));
        return encoding;
      };
      expect(await encodingFor(50, "gzip, deflate, br")).toBe("gzip");
      expect(await encodingFor(50, "identity")).toBeNull();
      expect(await encodingFor(5, "gzip, deflate, br")).toBeNull();
    });

    test("a repeated id is a duplicate, within a batch and across batches", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const operation = pageView(START);
      expect(await subject.statuses(write, [operation, operation])).toEqual(["accepted", "duplicate"]);
      expect(await subject.statuses(write, [operation])).toEqual(["duplicate"]);
      expect(await subject.timeline(person.id)).toHaveLength(1);
    });

    test("an id that was rejected may be sent again", async () => {
      const subject = shared();
      const { write } = await subject.lead();
      const wrong = event("undefinedEvent", START);
      const right = { ...pageView(START), id: wrong.id };
      expect(await subject.statuses(write, [wrong, right, right])).toEqual([
        "rejected",
        "accepted",
        "duplicate",
      ]);
    });

    test("a batch may hold duplicates, new operations and rejected ones together", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const [one, two] = [pageView(START), pageView(START + 1)];
      await subject.send(write, [one, two]);
      for (const [others, statuses] of [
        [[pageView(START + 2)], ["accepted"]],
        [[event("undefinedEvent", START)], ["rejected"]],
        [[{ ...pageView(START), occurredAt: "now" }], ["rejected"]],
      ] as const)
        expect(await subject.statuses(write, [two, ...others, one])).toEqual([
          "duplicate",
          ...statuses,
          "duplicate",
        ]);
      expect(await subject.timeline(person.id)).toHaveLength(3);
    });

    test("the same id of another profile is no duplicate", async () => {
      const subject = shared();
      const [one, other] = [await subject.lead(), await subject.lead()];
      const operation = pageView(START);
      expect(await subject.statuses(one.write, [operation])).toEqual(["accepted"]);
      expect(await subject.statuses(other.write, [operation])).toEqual(["accepted"]);
    });

    test("a batch is idempotent: sent again after a lost response it changes nothing", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const batch = [pageView(START), update(START, { tags: ["a"] }), pageView(START + 1)];
      await subject.send(write, batch);
      const before = [await subject.timeline(person.id), await subject.person(person.id)];
      expect(await subject.statuses(write, batch)).toEqual(["duplicate", "duplicate", "duplicate"]);
      expect([await subject.timeline(person.id), await subject.person(person.id)]).toEqual(before);
    });

    test("of two equal concurrent batches one is applied and one is a duplicate", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const batch = Array.from({ length: 20 }, () => pageView(START));
      const answers = await Promise.all([1, 2, 3].map(() => subject.statuses(write, batch)));
      expect(answers.flat().filter((status) => status === "accepted")).toHaveLength(20);
      expect(await subject.timeline(person.id)).toHaveLength(20);
    });

    test("a custom event must be defined, its properties too and of the type", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      await subject.service.definitions.put({ id: "buy", properties: { name: "string", count: "numeric" } });
      const results = await subject.send(write, [
        event("buy", START),
        event("buy", START, { properties: { name: "shoe" } }),
        event("sell", START),
        event("buy", START, { properties: { size: 1 } }),
        event("buy", START, { properties: { count: 1.5 } }),
        event("buy", START, { properties: {} }),
        event("sessionStarted", START, { properties: { name: "shoe" } }),
      ]);
      expect(results.map(({ status, error }) => error?.name ?? status)).toEqual([
        "accepted",
        "accepted",
        "UnknownDefinitionError",
        "WrongPropertiesError",
        "WrongPropertiesError",
        "InvalidOperationError",
        "WrongPropertiesError",
      ]);
      expect((await subject.timeline(person.id)).map(({ properties }) => properties)).toEqual([
        undefined,
        { name: "shoe" },
      ]);
    });

    test.each([
      ["is no JSON", "{"],
      ["is empty", ""],
      ["is not UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
      ["is null", "null"],
      ["has an operation without an id", JSON.stringify(envelope([{ type: "event" }]))],
      ["has an operation with a wrong id", JSON.stringify(envelope([{ id: "a b", type: "event" }]))],
      ["has no operations", JSON.stringify(envelope([]))],
      ["has no time", JSON.stringify({ ...envelope([pageView(START)]), sentAt: "now" })],
    ])("a batch that %s is a 400 with the error body", async (_, raw) => {
      const subject = shared();
      const { write } = await subject.visitor();
      expect(await post(subject, write, raw)).toMatchObject({
        status: 400,
        body: { error: { origin: "people-service", name: "BadRequestError" } },
      });
    });

    test("gzip is accepted, other encodings are a 415", async () => {
      const subject = shared();
      const { write } = await subject.visitor();
      const raw = gzipSync(JSON.stringify(envelope([pageView(START)])));
      expect((await post(subject, write, raw, { "content-encoding": "gzip" })).status).toBe(200);
      expect((await post(subject, write, raw, { "content-encoding": "br" })).status).toBe(415);
      expect((await post(subject, write, "{}", { "content-encoding": "gzip" })).status).toBe(400);
      expect((await post(subject, write, raw.subarray(0, 40), { "content-encoding": "gzip" })).status).toBe(
        400,
      );
    });

    test("a body of more than 1 MiB is a 413, before and after decompression", async () => {
      const subject = shared();
      const { write } = await subject.visitor();
      expect((await post(subject, write, padded(MIB))).status).toBe(200);
      expect(await post(subject, write, padded(MIB + 1))).toMatchObject({
        status: 413,
        body: { error: { name: "TooLargeError" } },
      });
      const bomb = gzipSync(padded(64 * MIB));
      expect((await post(subject, write, bomb, { "content-encoding": "gzip" })).status).toBe(413);
    });

    test("too many operations are a 413", async () => {
      const subject = shared();
      const { write } = await subject.visitor();
      const operations = Array.from({ length: 101 }, () => pageView(START));
      expect((await post(subject, write, JSON.stringify(envelope(operations)))).status).toBe(413);
    });
  });
});
