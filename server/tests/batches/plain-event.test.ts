import * as fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { operationSchema } from "../../../src/protocol/schemas/requests.js";
import { isPlainEvent } from "../../src/batches/plain-event.js";

const event = {
  id: "a-1",
  type: "event",
  occurredAt: "2026-02-28T23:59:59.999Z",
  sessionId: "session",
  definitionId: "productViewed",
  properties: { article: "shoe", count: 2, isNew: true },
  page: { url: "https://shop.example/", title: "Shop" },
};

/** Values just inside and outside of the schema's limits, and some unusual JSON values. */
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    "",
    "é",
    "a\n",
    "a".repeat(30),
    "a".repeat(31),
    "a".repeat(36),
    "a".repeat(37),
    Infinity,
    [],
    {},
  ),
  fc.constantFrom("2026-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z"),
  fc.constantFrom("2026-01-01T24:00:00.000Z", "0000-01-01T00:00:00.000Z", "2026-01-00T00:00:00.000Z\n"),
);
const name = fc.oneof(
  fc.string(),
  fc.constantFrom("a", "A", "aB", "ab", "_", "constructor", "prototype", "a".repeat(128), "a".repeat(129)),
);
const properties = fc.oneof(
  fc.dictionary(name, fc.oneof(fc.constantFrom<unknown>("x", 1, true), odd), { maxKeys: 4 }),
  fc
    .integer({ min: 118, max: 122 })
    .map((n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`p${i}`, i]))),
  fc.constant<unknown>(JSON.parse('{"__proto__": 1}')),
);
const change = fc.oneof(
  fc.tuple(fc.constantFrom(...Object.keys(event), "another"), odd),
  fc.tuple(fc.constant("properties"), properties),
  fc.tuple(fc.constant("page"), fc.record({ url: odd, title: odd, more: odd }, { requiredKeys: [] })),
);

describe("plain events", () => {
  test("an event as trackers send it takes the fast path, with and without its optional fields", () => {
    const { properties, page, ...bare } = event;
    for (const plain of [event, bare, { ...bare, properties }, { ...bare, page }])
      expect(isPlainEvent(plain)).toBe(true);
  });

  test("an event that the fast path accepts, the schema accepts unchanged", () => {
    let plain = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 2 }), (changes) => {
        const input: unknown = { ...event, ...Object.fromEntries(changes) };
        if (!isPlainEvent(input)) return;
        plain++;
        expect(v.safeParse(operationSchema, input)).toMatchObject({ success: true });
        expect(v.parse(operationSchema, input)).toEqual(input);
      }),
      { numRuns: 5_000 },
    );
    expect(plain).toBeGreaterThan(100);
  });
});
