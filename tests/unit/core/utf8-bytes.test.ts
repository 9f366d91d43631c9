import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8Bytes } from "../../../src/core/utf8-bytes.js";

describe("the size of an operation in bytes", () => {
  test("as many bytes as an encoder makes of any JSON", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
        const json = JSON.stringify(text);
        expect(utf8Bytes(json)).toBe(new TextEncoder().encode(json).length);
      }),
    );
  });
});
