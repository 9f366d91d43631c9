import { expect, test } from "vitest";
import { copyValue } from "../../../src/main/copy-value.js";

const problem = (value: unknown): string => {
  try {
    copyValue("properties", value);
  } catch (error) {
    return (error as Error).message;
  }
  return "carried";
};

test("copies what is plain, deeply", () => {
  const given = { name: "a", count: 1.5, ok: false, none: null, list: [1, { deep: "b" }] };
  const copy = copyValue("properties", given);
  expect(copy).toEqual(given);
  given.list.push(2);
  (given.list[1] as { deep: string }).deep = "changed";
  expect(copy).toEqual({ name: "a", count: 1.5, ok: false, none: null, list: [1, { deep: "b" }] });
});

test("writes a Date as its ISO time", () => {
  expect(copyValue("p", { at: new Date(0) })).toEqual({ at: "1970-01-01T00:00:00.000Z" });
});

test("leaves out fields that are undefined", () => {
  expect(Object.keys(copyValue("p", { a: undefined, b: 1 }) as object)).toEqual(["b"]);
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

test("keeps a field named __proto__ as a field", () => {
  const copy = copyValue("p", JSON.parse('{"__proto__": {"admin": true}}')) as object;
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  expect(Object.keys(copy)).toEqual(["__proto__"]);
  expect((copy as { admin?: boolean }).admin).toBeUndefined();
});

test("takes an object without a prototype", () => {
  expect(copyValue("p", Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 });
});

test("takes one object in two places", () => {
  const shared = { a: 1 };
  expect(copyValue("p", { x: shared, y: [shared] })).toEqual({ x: { a: 1 }, y: [{ a: 1 }] });
});

class Basket {
  total = 1;
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
const revoked = Proxy.revocable({}, {});
revoked.revoke();

test.each<[unknown, string | RegExp]>([
  [{ items: [1, 2, { price: 3n }] }, "properties.items[2].price is a BigInt, which cannot be carried"],
  [{ run: () => {} }, "properties.run is a Function, which cannot be carried"],
  [{ mark: Symbol("a") }, "properties.mark is a Symbol, which cannot be carried"],
  [{ n: NaN }, "properties.n is NaN, which cannot be carried"],
  [{ n: -Infinity }, "properties.n is -Infinity, which cannot be carried"],
  [{ at: new Date("no") }, /^properties\.at could not be read: /],
  [{ map: new Map() }, /^properties\.map is a Map, which cannot be carried/],
  [{ set: new Set() }, /^properties\.set is a Set, which cannot be carried/],
  [new Basket(), /^properties is a Basket, which cannot be carried/],
  [{ list: [undefined] }, /^properties\.list\[0\] is undefined/],
  // oxlint-disable-next-line no-sparse-arrays -- holes are what this is about
  [{ list: ["a", , "c"] }, "properties.list has holes, which cannot be carried"],
  [{ list: Object.assign([], { 150_000_000: 1 }) }, "properties.list has holes, which cannot be carried"],
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

test("a getter that copies something else disturbs nothing", () => {
  const value = {
    get inner() {
      return (copyValue("other", { x: { y: 1 } }) as { x: object }).x;
    },
    bad: 1n,
  };
  expect(problem(value)).toBe("properties.bad is a BigInt, which cannot be carried");
});
