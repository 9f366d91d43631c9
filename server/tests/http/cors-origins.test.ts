import { describe, expect, test } from "vitest";
import { checkCorsOrigins, matchOrigins } from "../../src/http/cors-origins.js";

describe("the origins whose pages may call", () => {
  test("are matched as they stand", () => {
    const match = matchOrigins(["https://shop.example", "http://localhost:5173"]);
    expect(match("https://shop.example")).toBe("https://shop.example");
    for (const other of [
      "http://shop.example",
      "https://shop.example:8443",
      "http://localhost:5174",
      "null",
      "",
    ])
      expect(match(other)).toBeNull();
  });

  test("are any with *", () => {
    expect(matchOrigins(["*"])("https://shop.example")).toBe("*");
  });

  test("are those of a host on any port with :*, and of no other host or scheme", () => {
    const match = matchOrigins(["http://localhost:*", "http://[::1]:*"]);
    for (const origin of ["http://localhost", "http://localhost:5173", "http://[::1]", "http://[::1]:3000"])
      expect(match(origin)).toBe(origin);
    for (const origin of [
      "https://localhost:5173",
      "http://localhost.evil.example:80",
      "http://evil.example:5173",
      "http://[::2]:3000",
    ])
      expect(match(origin)).toBeNull();
  });

  test("are refused in any form that no browser sends", () => {
    checkCorsOrigins(["*", "http://localhost:*", "http://[::1]:*", "app://shop"]);
    for (const origin of [
      "http://localhost:*/",
      "http://localhost:80:*",
      "http://localhost:8080:*",
      "http://Localhost:*",
      "http://*.shop.example",
      ":*",
    ])
      expect(() => checkCorsOrigins([origin]), origin).toThrow("is not an origin");
  });
});
