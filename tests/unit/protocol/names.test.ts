import { describe, expect, test } from "vitest";
import { namespaceOf, sharedName } from "../../../src/protocol/names.js";

describe("the names that a namespace's hosts and pages share", () => {
  test("begin with the SDK's prefix and tell their namespace", () => {
    expect(sharedName("shop")).toBe("people-tracking:shop");
    expect(namespaceOf("people-tracking:shop")).toBe("shop");
  });

  test("tell no namespace where they are a site's own", () => {
    expect(namespaceOf("site:shop")).toBeNull();
  });
});
