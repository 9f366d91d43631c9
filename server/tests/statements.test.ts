import { Client } from "pg";
import { expect, inject, test, vi } from "vitest";
import { pageView } from "./operations.js";
import { startService, START } from "./start-service.js";

test.skipIf(!inject("postgresUrl"))(
  "a batch takes seven statements, whether of 1 operation or of 500",
  async () => {
    const subject = await startService("PostgreSQL");
    const { write } = await subject.visitor();
    await subject.send(write, [pageView(START)]);
    const query = vi.spyOn(Client.prototype, "query");
    try {
      for (const count of [1, 500]) {
        query.mockClear();
        const operations = Array.from({ length: count }, () => pageView(START));
        expect(new Set(await subject.statuses(write, operations))).toEqual(new Set(["accepted"]));
        expect(query).toHaveBeenCalledTimes(7);
      }
    } finally {
      query.mockRestore();
    }
  },
);
