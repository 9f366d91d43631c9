import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isNestedDeeper } from "../../src/http/nesting.js";

const depthOf = (value: unknown): number =>
  value !== null && typeof value === "object"
    ? 1 + Object.values(value).reduce((most: number, inner) => Math.max(most, depthOf(inner)), 0)
    : 0;
const isDeeper = (json: string, max: number): boolean => isNestedDeeper(Buffer.from(json), max);

describe("the depth of JSON", () => {
  test("is that of what it is parsed into, whatever its strings hold", () => {
    const json = fc.json({ maxDepth: 6, stringUnit: "binary" });
    const brackets = fc
      .array(fc.constantFrom("[", "{", "]", "}", '"', "\\", "\u{1f600}", "x"), { maxLength: 20 })
      .map((parts) => parts.join(""));
    const nested = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        brackets,
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(brackets, tie("value"), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(
        fc.oneof(
          json,
          nested.map((value) => JSON.stringify(value)),
        ),
        (inner) => {
          const text = `[${inner}]`;
          const depth = depthOf(JSON.parse(text));
          expect([isDeeper(text, depth), isDeeper(text, depth - 1)]).toEqual([false, true]);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("counts no bracket of a string that ends in a backslash, or of one that quotes", () => {
    expect(isDeeper(String.raw`["[[[\\", "\"[[[", "]"]`, 1)).toBe(false);
    expect(isDeeper(String.raw`["\\", [[]]]`, 2)).toBe(true);
  });

  test("is bounded for invalid JSON, too", () => {
    expect(isDeeper("[".repeat(100), 32)).toBe(true);
    for (const text of ["", "]]]]", '"[[[[', "\\[", "{"]) expect(isDeeper(text, 1)).toBe(false);
  });
});
