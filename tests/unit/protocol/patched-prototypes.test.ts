/** What holds in a worker holds on a page whose old libraries have patched the built-in prototypes. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fromJson, toJson } from "../../../src/protocol/json.js";
import { eventPropertiesSchema } from "../../../src/protocol/schemas/events.js";
import { firstProblem, parsed } from "../../../src/protocol/schemas/parse.js";
import { personSchema } from "../../../src/protocol/schemas/person.js";
import { profileSchema } from "../../../src/protocol/schemas/requests.js";
import { definitionsAnswerSchema } from "../../../src/protocol/schemas/responses.js";

const PROTOTYPES = [Array.prototype, Object.prototype];
const patch = (name: string, value: unknown, enumerable: boolean): void => {
  for (const prototype of PROTOTYPES) {
    Object.defineProperty(prototype, name, { configurable: true, writable: true, value, enumerable });
  }
};
const restore = (name: string): void => {
  for (const prototype of PROTOTYPES) Reflect.deleteProperty(prototype, name);
};
/** All that `for…in` meets. */
const keysOf = (data: unknown): string[] => {
  const keys: string[] = [];
  for (const key in data as object) keys.push(key);
  return keys;
};
const DATA = { text: "a", list: [1, { flag: true, toJSON: "own" }], none: null };
const JSON_OF_DATA = JSON.stringify(DATA);

describe.each([true, false])("prototypes with a toJSON, enumerable: %s", (enumerable) => {
  beforeEach(() => patch("toJSON", () => "wrong", enumerable));
  afterEach(() => restore("toJSON"));

  test("toJson writes data as it is", () => {
    expect(JSON.stringify(DATA)).toBe('"wrong"');
    expect(toJson(DATA)).toBe(JSON_OF_DATA);
  });
});

describe("prototypes with enumerable functions", () => {
  beforeEach(() => patch("extend", () => undefined, true));
  afterEach(() => restore("extend"));

  test("fromJson gives objects whose own fields are all that for…in meets", () => {
    const data = fromJson('{"a": {"b": 1}, "list": [{"__proto__": {"c": 1}}]}') as {
      a: object;
      list: object[];
    };
    expect([keysOf({}), keysOf(data), keysOf(data.a), keysOf(data.list[0])]).toEqual([
      ["extend"],
      ["a", "list"],
      ["b"],
      ["__proto__"],
    ]);
  });

  test("the schemas take what they took, and refuse what they refused", () => {
    expect(firstProblem(personSchema, fromJson('{"firstName": "Semi", "tags": ["a"]}'))).toBeNull();
    expect(firstProblem(personSchema, fromJson('{"extend": "a"}'))).toBe("extend is not a field of a person");
    expect(firstProblem(eventPropertiesSchema, fromJson('{"a": [{"b": 1}]}'))).toBeNull();
    expect(firstProblem(profileSchema, fromJson('{"kind": "lead", "id": "a"}'))).toBeNull();
    expect(firstProblem(profileSchema, fromJson('{"kind": "robot", "id": "a"}'))).not.toBeNull();
    const answer = '{"version":"1","definitions":[{"id":"a","properties":{"constructor":"string"}}]}';
    expect(toJson(parsed(definitionsAnswerSchema, fromJson(answer)))).toBe(answer);
  });
});

describe("prototypes as the engine made them", () => {
  test("fromJson gives plain objects", () => {
    expect(Object.getPrototypeOf(fromJson("{}"))).toBe(Object.prototype);
  });

  test("fromJson throws where there is no JSON", () => {
    expect(() => fromJson("<html>")).toThrow(SyntaxError);
  });
});
