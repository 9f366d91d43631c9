import { describe, expect, test } from "vitest";
import { namespaceOf, sharedName, sharedNameOfWorker } from "../../../src/protocol/names.js";

describe("the names that a namespace's hosts and pages share", () => {
  test("begin with the SDK's prefix and tell their namespace", () => {
    expect(sharedName("shop")).toBe("people-tracking:shop");
    expect(namespaceOf("people-tracking:shop")).toBe("shop");
  });

  test("tell no namespace where they are a site's own", () => {
    expect(namespaceOf("site:shop")).toBeNull();
  });

  test("are told by a worker's name, whatever the namespace holds", () => {
    expect(sharedNameOfWorker("people-tracking:shop:v5:0")).toBe("people-tracking:shop");
    expect(sharedNameOfWorker("people-tracking:shop:v1:0:v5:12")).toBe("people-tracking:shop:v1:0");
    expect(sharedNameOfWorker("site:shop:v5:0")).toBeNull();
    expect(sharedNameOfWorker("")).toBeNull();
  });
});
