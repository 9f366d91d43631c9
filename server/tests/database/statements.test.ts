import { Client } from "pg";
import { describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { pageView } from "../support/operations.js";
import { newDatabase, startService, START } from "../support/start-service.js";

describe("prepared statements", () => {
  test.skipIf(!inject("postgresUrl"))(
    "a batch of events takes three statements, whether of 1 operation or of 500",
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
          expect(query).toHaveBeenCalledTimes(3);
        }
      } finally {
        query.mockRestore();
      }
    },
  );

  test.skipIf(!inject("postgresUrl"))(
    "a batch that is sent again reads its own ids, however many the profile has",
    async () => {
      const database = await newDatabase("PostgreSQL", onTestFinished);
      const subject = await startService("PostgreSQL", { database, limits: { operationsPerBatch: 500 } });
      const client = new Client({ connectionString: (database as { url: string }).url });
      await client.connect();
      onTestFinished(() => client.end());
      const idsRead = async (): Promise<number> => {
        const { rows } = await client.query<{ idx_tup_read: string }>(
          "select sum(idx_tup_read) as idx_tup_read from pg_stat_user_indexes where relname like '%operation\\_ids%'",
        );
        return Number(rows[0]!.idx_tup_read);
      };
      const { write } = await subject.visitor();
      const batches = Array.from({ length: 8 }, () => Array.from({ length: 500 }, () => pageView(START)));
      for (const batch of batches) await subject.send(write, batch);
      expect(new Set(await subject.statuses(write, batches[0]!))).toEqual(new Set(["duplicate"]));
      // Connections report their statistics when they end, or some time later.
      await subject.service.close();
      await vi.waitFor(async () => expect(await idsRead()).toBeGreaterThan(0), 20_000);
      expect(await idsRead()).toBe(500);
    },
  );
});
