import { createContext, runInContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyValue } from "../../../src/main/copy-value.js";
import { toJson } from "../../../src/protocol/json.js";

const problem = (value: unknown): string => {
  try {
    copyValue("properties", value);
  } catch (error) {
    return (error as Error).message;
  }
  return "carried";
};

const jsonOf = (value: unknown): unknown => JSON.parse(toJson(copyValue("properties", value)));

class Money {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  toJSON(): string {
    return (this.#cents / 100).toFixed(2);
  }
}
class Basket {
  total = new Money(1999);
  items = [{ sku: "kite" }];
  get count(): number {
    return this.items.length;
  }
}

const cycle: Record<string, unknown> = {};
cycle["a"] = { b: cycle };
const thrower = {
  get secret(): string {
    throw new Error("not for you");
  },
};
let deep: unknown = 1;
for (let level = 0; level < 100; level++) deep = { in: deep };

describe("copying what a caller passes", () => {
  test("copies what is plain, deeply", () => {
    const given = { name: "a", count: 1.5, ok: false, list: [1, { deep: "b" }] };
    const copy = copyValue("properties", given);
    expect(copy).toEqual(given);
    given.list.push(2);
    (given.list[1] as { deep: string }).deep = "changed";
    expect(copy).toEqual({ name: "a", count: 1.5, ok: false, list: [1, { deep: "b" }] });
  });

  test("writes a Date as its ISO time", () => {
    expect(copyValue("p", { at: new Date(0) })).toEqual({ at: "1970-01-01T00:00:00.000Z" });
  });

  test("leaves out fields that are undefined or null", () => {
    expect(toJson(copyValue("p", { a: undefined, b: 1, c: null, d: [{ e: null }] }))).toBe(
      '{"b":1,"d":[{}]}',
    );
  });

  test("reads through proxies, as frameworks make them", () => {
    const proxied = (target: object): object =>
      new Proxy(target, {
        get: (from, key) => {
          const value: unknown = Reflect.get(from, key);
          return value && typeof value === "object" ? proxied(value) : value;
        },
      });
    expect(copyValue("p", proxied({ a: { b: [1, { c: 2 }] } }))).toEqual({ a: { b: [1, { c: 2 }] } });
  });

  test("keeps every name, those of Object.prototype among them", () => {
    const name = fc.oneof(
      fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype), "prototype", "toJSON", "length", "0"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.constantFrom(1, "a", [1], [{ b: true }]))), (entries) => {
        const given = JSON.stringify(Object.fromEntries(entries));
        expect(toJson(copyValue("p", JSON.parse(given)))).toBe(given);
      }),
    );
  });

  test("takes an object without a prototype", () => {
    expect(copyValue("p", Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 });
  });

  test("takes one object in two places", () => {
    const shared = { a: 1 };
    expect(copyValue("p", { x: shared, y: [shared] })).toEqual({ x: { a: 1 }, y: [{ a: 1 }] });
  });

  test.each<[string, unknown]>([
    ["a URL", { at: new URL("https://shop.example/?a=1") }],
    ["what has a toJSON of its own", { price: { amount: 1, run: () => {}, toJSON: () => "1 €" } }],
    ["a class that has one", { price: new Money(250), all: [new Money(1), new Money(2)] }],
    [
      "a class whose name a minifier took",
      new (class {
        label = "a";
      })(),
    ],
    ["instances of the site's own classes, without what their prototypes compute", new Basket()],
    ["a toJSON that gives an object", { toJSON: () => ({ a: { toJSON: () => [{ b: 1 }] } }) }],
    [
      "a toJSON that gives one with another: it is asked no more",
      Object.create({
        toJSON: () =>
          Object.create({ toJSON: () => "never" }, { a: { value: 1, enumerable: true } }) as object,
      }),
    ],
    [
      "a toJSON that asks for the key",
      { outer: [{ toJSON: (key: string) => `at ${key}` }], toString: { toJSON: (key: string) => key } },
    ],
    ["one that is no function", { toJSON: "a" }],
    ["an object without a prototype", Object.assign(Object.create(null) as object, { a: 1 })],
    [
      "another window's objects",
      runInContext("({ a: new Date(0), b: [{ c: 1 }], d: new (class { e = 1 })() })", createContext()),
    ],
  ])("carries as JSON does: %s", (_, value) => {
    expect(jsonOf(value)).toEqual(JSON.parse(JSON.stringify(value)));
  });

  test("asks no toJSON that an old library gave to lists and objects", () => {
    const wrong = { configurable: true, value: () => "wrong" };
    for (const prototype of [Array.prototype, Object.prototype])
      Object.defineProperty(prototype, "toJSON", wrong);
    try {
      expect(JSON.stringify([1])).toBe('"wrong"');
      expect(toJson(copyValue("p", { list: [1, { a: "b" }], in: new Basket() }))).toBe(
        '{"list":[1,{"a":"b"}],"in":{"total":"19.99","items":[{"sku":"kite"}]}}',
      );
      expect(toJson(copyValue("p", { flat: 1 }))).toBe('{"flat":1}');
    } finally {
      for (const prototype of [Array.prototype, Object.prototype])
        Reflect.deleteProperty(prototype, "toJSON");
    }
  });

  test("asks none of numbers that JSON cannot write", () => {
    const prototype = Number.prototype as { toJSON?: () => string };
    prototype.toJSON = () => "null";
    try {
      expect(problem({ n: NaN })).toBe("properties.n is NaN, which cannot be carried");
    } finally {
      delete prototype.toJSON;
    }
  });
});

const revoked = Proxy.revocable({}, {});
revoked.revoke();

class Untold extends Map {
  override get [Symbol.toStringTag](): string {
    return "";
  }
}

describe("what JSON cannot carry", () => {
  test.each<[unknown, string | RegExp]>([
    [{ items: [1, 2, { price: 3n }] }, "properties.items[2].price is a BigInt, which cannot be carried"],
    [{ run: () => {} }, "properties.run is a Function, which cannot be carried"],
    [{ mark: Symbol("a") }, "properties.mark is a Symbol, which cannot be carried"],
    [{ n: NaN }, "properties.n is NaN, which cannot be carried"],
    [{ n: -Infinity }, "properties.n is -Infinity, which cannot be carried"],
    [{ at: new Date("no") }, /^properties\.at could not be read: /],
    [{ at: { toJSON: () => null } }, "properties.at is null as JSON, which cannot be carried"],
    [{ at: [{ toJSON: () => undefined }] }, "properties.at[0] is undefined as JSON, which cannot be carried"],
    [{ at: { toJSON: () => new Map() } }, "properties.at is a Map, which cannot be carried"],
    [{ at: { toJSON: () => ({ b: NaN }) } }, "properties.at.b is NaN, which cannot be carried"],
    [{ list: [undefined] }, "properties.list[0] is undefined, which cannot be carried"],
    [{ list: [1, null] }, "properties.list[1] is null, which cannot be carried"],
    // oxlint-disable-next-line no-sparse-arrays -- holes are what this is about
    [{ list: ["a", , "c"] }, "properties.list is a list with holes or named fields, which cannot be carried"],
    [
      { list: Object.assign([], { 150_000_000: 1 }) },
      "properties.list is a list with holes or named fields, which cannot be carried",
    ],
    ["kite".match(/k/), "properties is a list with holes or named fields, which cannot be carried"],
    [cycle, /^properties\.a\.b refers back to itself/],
    [thrower, "properties.secret could not be read: not for you"],
    [{ x: revoked.proxy }, /^properties\.x could not be read: /],
    [deep, /^properties(\.in)+ refers back to itself, or is nested too deep/],
    [{ after: { ok: 1 }, bad: 1n }, "properties.bad is a BigInt, which cannot be carried"],
  ])("names the path of what cannot be carried: %#", (value, message) => {
    const said = problem(value);
    expect(typeof message === "string" ? said : message.exec(said)?.input).toBe(
      typeof message === "string" ? message : said,
    );
  });

  test.each([
    [new Map([["a", 1]]), "Map"],
    [new (class extends Map {})(), "Map"],
    [runInContext("new Set([1])", createContext()), "Set"],
    [new WeakMap(), "WeakMap"],
    [/a/, "RegExp"],
    [new TypeError("a"), "Error"],
    [Promise.resolve(1), "Promise"],
    [new ArrayBuffer(1), "ArrayBuffer"],
    [new Uint8Array(1), "Uint8Array"],
    [new Blob(["a"]), "Blob"],
    [new URLSearchParams("a=1"), "URLSearchParams"],
    // oxlint-disable-next-line no-new-wrappers, unicorn/new-for-builtins -- boxes are what this is about
    [new String("a"), "String"],
    // oxlint-disable-next-line no-new-wrappers, unicorn/new-for-builtins -- boxes are what this is about
    [new Number(1), "Number"],
    // oxlint-disable-next-line no-new-wrappers, unicorn/new-for-builtins -- boxes are what this is about
    [new Boolean(false), "Boolean"],
    [new Untold(), "tagged object"],
  ])("refuses what JSON would lose: %o", (value, kind) => {
    expect(problem({ it: value })).toBe(`properties.it is a ${kind}, which cannot be carried`);
  });

  test("a getter that copies something else disturbs nothing", () => {
    const value = {
      get inner() {
        return (copyValue("other", { x: { y: 1 } }) as { x: object }).x;
      },
      bad: 1n,
    };
    expect(problem(value)).toBe("properties.bad is a BigInt, which cannot be carried");
  });
});
