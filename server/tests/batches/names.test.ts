/** All names that the platform's pattern allows are kept, except `__proto__`. */
import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { append, event, pageView, update } from "../support/operations.js";
import { iso, onEachDriver, sharedService, START, type Subject } from "../support/start-service.js";

/** Members of built-in prototypes, which a lookup that follows the prototype chain would find. */
const BUILT_IN = [...Object.getOwnPropertyNames(Object.prototype), "prototype"].filter(
  (name) => name !== "__proto__",
);
const name = fc.oneof(fc.constantFrom(...BUILT_IN), fc.stringMatching(/^[a-z_][a-zA-Z0-9_]{0,30}$/));
const differInMoreThanCase = (names: string[]): boolean =>
  new Set(names.map((one) => one.toLowerCase())).size === names.length;

const define = (subject: Subject, id: string, properties: string) =>
  subject.call<{ properties?: object; error?: { message: string } }>("PUT", `/v1/definitions/${id}`, {
    authorization: `App ${subject.adminKey}`,
    raw: `{"properties": ${properties}}`,
  });

/** Each operation as JSON, because an object literal cannot have a field named `__proto__`. */
const results = async (subject: Subject, write: string, operations: readonly string[]) => {
  const { body } = await subject.call<{ results: { status: string; error?: { message: string } }[] }>(
    "POST",
    "/v1/batches",
    {
      authorization: `Bearer ${write}`,
      raw: `{"id":"${randomUUID()}","sentAt":"${iso(START)}","sdk":"test","operations":[${operations.join()}]}`,
    },
  );
  return body.results.map(({ status, error }) => [status, error?.message]);
};

/** An operation in which one name is `__proto__`. */
const named = (operation: object): string => JSON.stringify(operation).replace('"NAME"', '"__proto__"');

onEachDriver((driver) => {
  const shared = sharedService(driver);

  describe("names", () => {
    test("of properties are carried from the definition to the timeline", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const properties = fc.uniqueArray(name, { minLength: 1, maxLength: 8 }).filter(differInMoreThanCase);
      let run = 0;
      await fc.assert(
        fc.asyncProperty(properties, fc.boolean(), async (names, inLists) => {
          const id = `named${++run}`;
          const fields = Object.fromEntries(names.map((one) => [one, one]));
          const types = Object.fromEntries(names.map((one) => [one, "string"]));
          const defined = await define(subject, id, JSON.stringify({ ...types, items_: "list" }));
          expect(defined.status).toBe(200);
          expect(Object.keys(defined.body.properties ?? {}).toSorted()).toEqual(
            [...names, "items_"].toSorted(),
          );
          const sent = { ...fields, ...(inLists && { items_: [fields] }) };
          const operation = event(id, START + run, { properties: sent });
          expect(await subject.statuses(write, [operation])).toEqual(["accepted"]);
          const entry = (await subject.timeline(person.id)).find(({ definitionId }) => definitionId === id);
          expect(entry?.properties).toEqual(sent);
        }),
        { numRuns: 20 },
      );
    });

    test("of attributes and of their lists' fields are carried to the person", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      const fields = Object.fromEntries(BUILT_IN.map((one) => [one, `of ${one}`]));
      const operations = BUILT_IN.map((one) => append(START, one, fields));
      expect(new Set(await subject.statuses(write, operations))).toEqual(new Set(["accepted"]));
      const { customAttributes = {} } = await subject.person(person.id);
      for (const one of BUILT_IN) {
        expect(Object.getOwnPropertyDescriptor(customAttributes, one)?.value).toEqual([
          { id: expect.any(String), ...fields },
        ]);
      }
      const replaced = Object.fromEntries(BUILT_IN.map((one) => [one, 1]));
      expect(await subject.statuses(write, [update(START, { customAttributes: replaced })])).toEqual([
        "accepted",
      ]);
      expect((await subject.person(person.id)).customAttributes).toEqual(replaced);
    });

    test("that are __proto__ are rejected with the path, wherever they stand", async () => {
      const subject = shared();
      const { write, person } = await subject.lead();
      expect(
        await results(subject, write, [
          named(pageView(START, { properties: { NAME: 1 } })),
          named(pageView(START, { properties: { list: [{ NAME: 1 }] } })),
          named(update(START, { customAttributes: { NAME: 1 } })),
          named(update(START, { customAttributes: { list: [{ NAME: 1 }] } })),
          named(append(START, "NAME", { own: 1 })),
          named(append(START, "list", { NAME: 1 })),
        ]),
      ).toEqual([
        ["rejected", "properties.__proto__ must not be named __proto__"],
        ["rejected", "properties.list[0].__proto__ must not be named __proto__"],
        ["rejected", "person.customAttributes.__proto__ must not be named __proto__"],
        ["rejected", "person.customAttributes.list[0].__proto__ must not be named __proto__"],
        ["rejected", "attribute must not be named __proto__"],
        ["rejected", "item.__proto__ must not be named __proto__"],
      ]);
      expect(await subject.person(person.id)).not.toHaveProperty("customAttributes");
    });

    test("of a definition that are __proto__ are a 400 with the path", async () => {
      const { status, body } = await define(shared(), "unsafe", '{"__proto__": "string"}');
      expect([status, body.error?.message]).toEqual([
        400,
        expect.stringContaining("properties.__proto__ must not be named __proto__"),
      ]);
    });
  });
});
