import { randomUUID } from "node:crypto";
import { Client as PostgresClient } from "pg";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import type { DatabaseOptions } from "../../src/index.js";
import { fetchJson, newClients, newPlace, send, type Client } from "../support/load.js";
import { pageView } from "../support/operations.js";
import { runService } from "../support/run-service.js";
import {
  iso,
  newDatabase,
  onEachDriver,
  START,
  startService,
  type Subject,
} from "../support/start-service.js";

/** Concurrent batches of one registration. */
const FLOOD = 80;
const OPERATIONS_PER_BATCH = 1_000;
const OTHERS = 5;
const ROUNDS = 3;

const bodyOf = (operations: readonly object[], sentAt = Date.now()): string =>
  JSON.stringify({ id: randomUUID(), sentAt: iso(sentAt), sdk: "test", operations });
const manyViews = () =>
  Array.from({ length: OPERATIONS_PER_BATCH }, () => ({ ...pageView(Date.now()), id: randomUUID() }));

const postBatch = (subject: Subject, write: string, raw: string) =>
  subject.call("POST", "/v1/batches", { authorization: `Bearer ${write}`, raw });

/** A request whose body ends on demand. */
async function startBatch(subject: Subject, write: string) {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const answer = Promise.resolve(
    subject.service.fetch(
      new Request("http://service.test/people/v1/batches", {
        method: "POST",
        headers: { authorization: `Bearer ${write}` },
        body: readable,
        duplex: "half",
      }),
    ),
  );
  const writer = writable.getWriter();
  // Resolves when the service has started to read.
  await writer.write(new TextEncoder().encode("{"));
  return { answer, end: () => writer.close() };
}

describe("floods of batches", () => {
  onEachDriver((driver) => {
    test("a flood of batches from one registration is served or refused, and nobody else gets an error", async () => {
      const { place, trackingKey } = await newPlace(driver);
      const { url } = await runService(place);
      const [flooding, ...others] = await newClients(url, trackingKey, 1 + OTHERS);

      const flood = Array.from({ length: FLOOD }, async () => {
        const response = await fetch(`${url}/v1/batches`, {
          method: "POST",
          headers: { authorization: `Bearer ${flooding!.token}` },
          body: bodyOf(manyViews()),
        });
        await response.text();
        return response.status;
      });
      const work = async (client: Client): Promise<void> => {
        for (let round = 0; round < ROUNDS; round++) {
          // Both throw unless the response is a 200.
          await send(url, client, [pageView(Date.now())]);
          await fetchJson(`${url}/v1/registrations`, `App ${trackingKey}`, {
            profile: { kind: "visitor", id: randomUUID() },
          });
        }
      };
      await Promise.all(others.map(work));
      const statuses = await Promise.all(flood);
      expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([]);
      expect(statuses).toContain(200);
    });

    test("more batches of one profile at once than a browser has are a 429, until one of them is done", async () => {
      const subject = await startService(driver, { limits: { batchesAtOnce: 3 } });
      const [flooding, other] = [await subject.visitor(), await subject.visitor()];
      const again = await subject.register({ kind: "visitor", id: flooding.id });
      const slow = await Promise.all(
        [flooding.write, flooding.write, again].map((write) => startBatch(subject, write)),
      );
      const raw = bodyOf([pageView(START)], START);
      const refused = await postBatch(subject, flooding.write, raw);
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect((await postBatch(subject, other.write, raw)).status).toBe(200);
      await Promise.all(slow.map(({ end }) => end()));
      expect((await Promise.all(slow.map(({ answer }) => answer))).map(({ status }) => status)).toEqual([
        400, 400, 400,
      ]);
      expect((await postBatch(subject, flooding.write, raw)).status).toBe(200);
    });
  });

  test.skipIf(!inject("postgresUrl"))(
    "batches that wait for one profile hold one connection, whoever else comes is served",
    async () => {
      const database = (await newDatabase("PostgreSQL")) as Extract<DatabaseOptions, { url: string }>;
      const subject = await startService("PostgreSQL", { database: { ...database, connections: 3 } });
      const [busy, other] = [await subject.lead(), await subject.lead()];
      const holder = new PostgresClient({ connectionString: database.url });
      await holder.connect();
      onTestFinished(() => holder.end());
      await holder.query("begin");
      await holder.query("select from profiles where id = $1 for update", [busy.person.id]);

      const waiting = Array.from({ length: 10 }, () => subject.statuses(busy.write, [pageView(START)]));
      // A 503 after 10 s if no connection is free.
      expect(await subject.statuses(other.write, [pageView(START)])).toEqual(["accepted"]);
      await holder.query("commit");
      expect(await Promise.all(waiting)).toEqual(Array.from({ length: 10 }, () => ["accepted"]));
    },
  );
});
