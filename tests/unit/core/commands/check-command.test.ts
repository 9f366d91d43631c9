/** The contract's limits of events and its table of the person: each at the limit, and one past it. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commandProblem } from "../../../../src/core/commands/check-command.js";
import { eventPropertiesSchema, isOfPropertyType } from "../../../../src/protocol/schemas/events.js";
import { parsed } from "../../../../src/protocol/schemas/parse.js";
import { LIMITS, MINUTE } from "../../../../src/protocol/wire.js";
import type {
  AppendToListCommand,
  PageViewCommand,
  TrackCommand,
  UpdatePersonCommand,
} from "../../../../src/protocol/host.js";

const base = { n: 1, at: 0, generation: 1, maxWaiting: 100, sessionTimeoutMs: 30 * MINUTE };
const event = (properties?: unknown, eventId: unknown = "action") =>
  commandProblem({
    ...base,
    type: "track",
    eventId,
    ...(properties !== undefined && { properties }),
  } as TrackCommand);
const pageView = (page: unknown) => commandProblem({ ...base, type: "pageView", page } as PageViewCommand);
const person = (person: unknown) =>
  commandProblem({ ...base, type: "updatePerson", person } as UpdatePersonCommand);
const append = (attribute: unknown, item: unknown) =>
  commandProblem({ ...base, type: "appendToList", attribute, item } as AppendToListCommand);
const letters = (length: number) => "a".repeat(length);
const numbered = <Value>(length: number, value: Value) =>
  Object.fromEntries(Array.from({ length }, (_, index) => [`p${index}`, value]));

describe("an event", () => {
  // --- the specification's own examples ---

  test("the specification's events pass as they stand", () => {
    expect(event({ name: "Button clicked", label: "add-to-favorites" })).toBeNull();
  });

  test("the specification's person passes as it stands", () => {
    expect(
      person({
        address: "Kirchmayer street 97",
        birthDate: "1993-01-01",
        city: "Prague",
        contactInformation: {
          email: [{ address: "[email protected]" }],
          phone: [{ number: "421905123450" }],
        },
        country: "Czech Republic",
        customAttributes: { car: "Mercedes" },
        externalId: "number123456",
        firstName: "Semi",
        gender: "male",
        integrations: { salesforce: { contactId: "123", leadId: "456" } },
        lastName: "Holsen",
        middleName: "Gabcik",
        preferredLanguage: "it-it",
        profilePicture: "https://profile.com",
        tags: ["reading", "technology"],
      }),
    ).toBeNull();
  });

  test("the specification's list item passes as it stands", () => {
    expect(append("category", { name: "special" })).toBeNull();
  });

  // --- events ---

  test.each([
    ["letters and digits", "Action42", true],
    ["36 characters", letters(36), true],
    ["37 characters", letters(37), false],
    ["none", "", false],
    ["a dash", "add-to-favorites", false],
    ["a number", 42, false],
    ["nothing", null, false],
  ])("an event id of %s", (_, eventId, allowed) => {
    expect(event(undefined, eventId) === null).toBe(allowed);
  });

  test.each(["sessionStarted", "sessionEnded", "pageView"])("%s is the tracker's own", (eventId) => {
    expect(event(undefined, eventId)).toBe(
      `${eventId} is a standard event, which the tracker records by itself`,
    );
  });

  test.each([
    ["left out", undefined, true],
    ["empty", {}, false],
    ["null", null, false],
    ["a list", ["a"], false],
    ["a string", "a", false],
    ["120 of them", numbered(120, 1), true],
    ["121 of them", numbered(121, 1), false],
    ["one list", { one: [1, "two", true, { flat: 1 }] }, true],
    ["two lists", { one: [1], two: [2] }, false],
    ["an empty list", { one: [] }, true],
    ["a list in a list", { one: [["a"]] }, false],
    ["a list item that holds an object", { one: [{ deep: { er: 1 } }] }, false],
    ["a list item that holds a list", { one: [{ deep: [1] }] }, false],
    ["a null in a list", { one: [null] }, false],
    ["an object", { one: { flat: 1 } }, false],
    ["a null", { one: null }, false],
    ["not a number", { one: Number.NaN }, false],
    ["an infinite number", { one: Infinity }, false],
  ])("event properties: %s", (_, properties, allowed) => {
    expect(event(properties) === null).toBe(allowed);
  });

  test.each([
    ["a", true],
    ["_private", true],
    ["camelCase_9", true],
    [letters(128), true],
    [letters(129), false],
    ["", false],
    ["Upper", false],
    ["9lives", false],
    ["with-dash", false],
    ["with space", false],
    ["constructor", true],
    ["prototype", true],
    ["toString", true],
    ["hasOwnProperty", true],
    ["__defineGetter__", true],
    ["toJSON", true],
  ])("a property's name %s", (name, allowed) => {
    expect(event({ [name]: 1 }) === null).toBe(allowed);
  });

  test("the name __proto__ is refused wherever a name is the caller's own, not lost", () => {
    const named: unknown = JSON.parse('{"__proto__": 1, "a": 1}');
    expect([
      event(named),
      event({ list: [named] }),
      person({ customAttributes: named }),
      person({ customAttributes: { a: [named] } }),
      person(named),
      append("__proto__", { a: 1 }),
      append("a", named),
    ]).toEqual([
      "properties.__proto__ must not be named __proto__",
      "properties.list[0].__proto__ must not be named __proto__",
      "person.customAttributes.__proto__ must not be named __proto__",
      "person.customAttributes.a[0].__proto__ must not be named __proto__",
      "person.__proto__ is not a field of a person",
      "attribute must not be named __proto__",
      "item.__proto__ must not be named __proto__",
    ]);
  });

  test("every other name is carried as it is", () => {
    const name = fc.oneof(
      fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype), "prototype"),
      fc.stringMatching(/^[a-z_][a-zA-Z0-9_]{0,20}$/),
    );
    fc.assert(
      fc.property(name, (given) => {
        const fields = JSON.parse(`{${JSON.stringify(given)}: "a"}`) as Record<string, string>;
        const isCarried = given !== "__proto__";
        const parsedFields = parsed(eventPropertiesSchema, fields);
        expect(parsedFields && Object.entries(parsedFields)).toEqual(isCarried ? [[given, "a"]] : null);
        expect(event({ list: [fields] }) === null).toBe(isCarried);
        expect(person({ customAttributes: fields }) === null).toBe(isCarried);
        expect(append(given, fields) === null).toBe(isCarried);
      }),
    );
  });

  test("property names must differ in more than case", () => {
    expect(event({ label: 1, laBel: 2 })).toMatch(/differ in more than case/);
  });

  test.each([
    ["string", "text", 1],
    ["boolean", false, "false"],
    ["datetime", "2026-03-01T12:00:00Z", "2026-02-30T12:00:00Z"],
    ["datetime", "2026-03-01", "tomorrow"],
    ["datetime", "2026-03-01T12:00:00.000+02:00", 1_772_366_400_000],
    ["numeric", 42, 4.2],
    ["decimal", 4.2, "4.2"],
    ["list", ["a", { b: 1 }], { b: 1 }],
  ] as const)("a property of type %s takes %j and not %j", (type, right, wrong) => {
    expect(isOfPropertyType(type, right)).toBe(true);
    expect(isOfPropertyType(type, wrong)).toBe(false);
  });

  test("an operation over 256 KiB is refused, in bytes as it travels", () => {
    const room = LIMITS.operationBytes - 2048;
    expect(event({ text: letters(room) })).toBeNull();
    expect(event({ text: letters(LIMITS.operationBytes) })).toMatch(
      /^it would take 258 KiB on the wire, and an operation may take 256 KiB$/,
    );
    expect(event({ text: "ä".repeat(room / 2) })).toBeNull();
    expect(event({ text: "ä".repeat(room) })).toMatch(/KiB on the wire/);
    expect(pageView({ title: letters(LIMITS.operationBytes) })).toMatch(/KiB on the wire/);
    expect(person({ tags: [letters(LIMITS.operationBytes)] })).toMatch(/KiB on the wire/);
    expect(append("a", numbered(100, letters(4096)))).toMatch(/KiB on the wire/);
  });
});

describe("a page view", () => {
  test("a page view may carry a page, a part of it or none", () => {
    expect([undefined, {}, { url: "https://shop.test/" }].map(pageView)).toEqual([null, null, null]);
  });
});

// --- the person ---

const textField = (field: string, max: number) =>
  [
    [field, letters(max), true],
    [field, letters(max + 1), false],
    [field, "", true],
    [field, 1, false],
    [field, null, false],
  ] as const;

const FIELDS: readonly (readonly [field: string, value: unknown, allowed: boolean])[] = [
  ...textField("firstName", 255),
  ...textField("lastName", 255),
  ...textField("middleName", 50),
  ...textField("city", 50),
  ...textField("country", 50),
  ...textField("address", 256),
  ...textField("externalId", 256),
  ["gender", "male", true],
  ["gender", "FeMale", true],
  ["gender", "other", false],
  ["gender", "", false],
  ["birthDate", "1993-01-01", true],
  ["birthDate", "2024-02-29", true],
  ["birthDate", "2023-02-29", false],
  ["birthDate", "1993-13-01", false],
  ["birthDate", "1993-1-1", false],
  ["birthDate", "1993-01-01T00:00:00Z", false],
  ["preferredLanguage", "it", true],
  ["preferredLanguage", "it-it", true],
  ["preferredLanguage", "EN-us", true],
  ["preferredLanguage", "ita", false],
  ["preferredLanguage", "it_IT", false],
  ["preferredLanguage", "", false],
  ["profilePicture", "https://profile.com", true],
  ["profilePicture", `https://profile.com/${letters(2083 - 20)}`, true],
  ["profilePicture", `https://profile.com/${letters(2084 - 20)}`, false],
  ["profilePicture", "profile.png", false],
  ["tags", [], true],
  ["tags", ["reading"], true],
  ["tags", "reading", false],
  ["tags", [1], false],
  ["contactInformation", {}, true],
  ["contactInformation", { fax: [] }, false],
  ["contactInformation", null, false],
  ["customAttributes", { [letters(256)]: 1 }, true],
  ["customAttributes", { [letters(257)]: 1 }, false],
  ["customAttributes", { "": 1 }, false],
  ["customAttributes", { "a{": 1 }, false],
  ["customAttributes", { "a}": 1 }, false],
  ["customAttributes", { "a[": 1 }, false],
  ["customAttributes", { "a]": 1 }, false],
  ["customAttributes", ["Mercedes"], false],
  ["customAttributes", { car: letters(4096) }, true],
  ["customAttributes", { car: letters(4097) }, false],
  ["customAttributes", { car: 1.5 }, true],
  ["customAttributes", { car: false }, true],
  ["customAttributes", { car: "1993-01-01" }, true],
  ["customAttributes", { car: "1993-01-01T00:00:00.000Z" }, true],
  ["customAttributes", { car: [{ brand: "Mercedes" }] }, true],
  ["customAttributes", { car: ["Mercedes"] }, false],
  ["customAttributes", { car: [["Mercedes"]] }, false],
  ["customAttributes", { car: [{ brand: { name: "Mercedes" } }] }, false],
  ["customAttributes", { car: [{ brand: letters(4097) }] }, false],
  ["customAttributes", { car: { brand: "Mercedes" } }, false],
  ["customAttributes", { car: null }, false],
  ["integrations", { salesforce: { contactId: "123" } }, true],
  ["integrations", { salesforce: { leadId: "456" } }, true],
  ["integrations", { salesforce: { leadId: 456 } }, false],
  ["integrations", { salesforce: { ownerId: "1" } }, false],
  ["integrations", { hubspot: {} }, false],
  ["nickname", "Semi", false],
];

describe("an update of a person", () => {
  test.each(
    FIELDS.map(([field, value, allowed]) => ({
      title: `${field}: ${JSON.stringify(value).slice(0, 50)}`,
      field,
      value,
      allowed,
    })),
  )("the person's $title", ({ field, value, allowed }) => {
    const problem = person({ [field]: value });
    expect(problem === null).toBe(allowed);
    expect(problem ?? `person.${field}`).toMatch(new RegExp(`^person\\.${field}`));
  });

  test.each([
    ["email", { address: letters(255) }, { address: letters(256) }],
    ["phone", { number: "1".repeat(50) }, { number: "1".repeat(51) }],
  ] as const)("contactInformation.%s: each at its limit, and at most 100", (kind, longest, tooLong) => {
    const contacts = (list: readonly unknown[]) => person({ contactInformation: { [kind]: list } });
    expect(contacts(Array.from({ length: 100 }, () => longest))).toBeNull();
    expect(contacts(Array.from({ length: 101 }, () => longest))).toMatch(/must hold at most 100$/);
    expect(contacts([longest, tooLong])).toMatch(
      new RegExp(`^person\\.contactInformation\\.${kind}\\[1\\]\\.`),
    );
    expect(contacts([{}])).toMatch(/\[0\]\.(address|number) is missing$/);
    expect(contacts(["somebody"])).toMatch(/\[0\] must be an object$/);
    expect(contacts([{ ...longest, verified: true }])).toMatch(/\.verified is not a field of a person$/);
  });

  test.each(["+421905123450", "421 905", "", "phone"])("a phone number is digits only, not %j", (number) => {
    expect(person({ contactInformation: { phone: [{ number }] } })).toMatch(/must be digits only/);
  });

  test("a person is an object with at least one field", () => {
    expect([{}, null, [], "Semi", undefined].map((given) => person(given) === null)).toEqual(
      Array.from({ length: 5 }, () => false),
    );
  });

  // --- appendToList ---

  test.each([
    ["a name of 256 characters", letters(256), { a: 1 }, true],
    ["a name of 257 characters", letters(257), { a: 1 }, false],
    ["no name", "", { a: 1 }, false],
    ["a name with a bracket", "a[]", { a: 1 }, false],
    ["a name that is no string", 1, { a: 1 }, false],
    ["an empty item", "a", {}, false],
    ["a list as the item", "a", ["special"], false],
    ["a string as the item", "a", "special", false],
    ["no item", "a", null, false],
    ["a nested object", "a", { b: { c: 1 } }, false],
    ["a nested list", "a", { b: [1] }, false],
    ["a null in it", "a", { b: null }, false],
    ["a value of 4096 characters", "a", { b: letters(4096) }, true],
    ["a value of 4097 characters", "a", { b: letters(4097) }, false],
    ["string, number and boolean", "a", { b: "c", d: 1, e: true }, true],
  ])("appendToList with %s", (_, attribute, item, allowed) => {
    expect(append(attribute, item) === null).toBe(allowed);
  });
});

describe("a refusal", () => {
  test("a refusal names the path of what is wrong", () => {
    expect(person({ birthDate: "yesterday" })).toBe("person.birthDate must be YYYY-MM-DD");
    expect(event({ Label: 1 })).toBe(
      "properties.Label must begin with a–z or _ and go on with letters, digits or _",
    );
    expect(append("a", { b: [1] })).toMatch(/^item\.b must be/);
    expect(append("", { name: "special" })).toBe("attribute must not be empty");
  });
});
