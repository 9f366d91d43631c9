import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { operationBatchOf } from "../../../../src/core/delivery/batch.js";

describe("a batch of operations", () => {
  test("names the version of the SDK that package.json has", () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    const { body } = operationBatchOf("batch", 0, [], new Map());
    expect(JSON.parse(body)).toMatchObject({ sdk: `people-tracking-sdk/${version}` });
  });
});
