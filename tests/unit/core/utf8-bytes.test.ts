import * as fc from "fast-check";
import { expect, test } from "vitest";
import { utf8Bytes } from "../../../src/core/utf8-bytes.js";

test("as many bytes as an encoder makes of any JSON", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
      const json = JSON.stringify(text);
      expect(utf8Bytes(json)).toBe(new TextEncoder().encode(json).length);
    }),
  );
});
