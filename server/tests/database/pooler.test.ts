import { sql } from "drizzle-orm";
import { Client } from "pg";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { isUnavailable, rowsOf, type PostgresOptions } from "../../src/database/database.js";
import { openDatabase } from "../../src/database/open-database.js";
import { createPeopleService } from "../../src/index.js";
import { checkAndResend, newClients, newPlace, sendUntilFailure } from "../support/load.js";
import { merge, pageView } from "../support/operations.js";
import { runService } from "../support/run-service.js";
import { hasPooler, startPooler } from "../support/start-pooler.js";
import { newDatabase, startService, START } from "../support/start-service.js";

const silent = { onError: () => undefined, onWaiting: () => undefined };

const asObject = (rows: { name: string; setting: string }[]) =>
  Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));

const answer = (value: number) => sql`select ${value}::int as value`;

/** A new database, reachable directly and through a pooler. */
async function newPooledDatabase(settings?: readonly string[]) {
  const direct = ((await newDatabase("PostgreSQL")) as PostgresOptions).url;
  const pooler = await startPooler(direct, settings);
  return { direct, pooled: pooler.url, pooler };
}

describe.skipIf(!inject("postgresUrl") || !hasPooler)("through PgBouncer in transaction mode", () => {
  test("a service that is killed in the middle of batches loses nothing acknowledged and duplicates nothing", async () => {
    const { pooled } = await newPooledDatabase();
    const { place, trackingKey, adminKey } = await newPlace("PostgreSQL", { url: pooled });
    let service = await runService(place);
    const { database } = await service.line('"listening"');
    expect(database).toMatch(/through a pooler$/);
    const clients = await newClients(service.url, trackingKey);
    await sendUntilFailure(service.url, clients, 10, async () => {
      service.process.kill("SIGKILL");
      await service.exited;
    });
    service = await runService(place);
    await checkAndResend(service.url, adminKey, clients);
  });

  test("batches of events and of merges are applied, and again are duplicates", async () => {
    const { pooled } = await newPooledDatabase();
    const subject = await startService("PostgreSQL", { database: { url: pooled } });
    const [visitor, lead] = [await subject.visitor(), await subject.lead()];
    const viewed = Array.from({ length: 50 }, () => [pageView(START)]);
    const sendAll = async () =>
      new Set(
        (await Promise.all(viewed.map((operations) => subject.statuses(visitor.write, operations)))).flat(),
      );
    expect(await sendAll()).toEqual(new Set(["accepted"]));
    expect(await subject.statuses(lead.write, [merge(START, visitor)])).toEqual(["accepted"]);
    expect(await sendAll()).toEqual(new Set(["duplicate"]));
    expect(await subject.timeline(lead.person.id)).toHaveLength(50);
  });

  test("of several services that start concurrently one migrates", async () => {
    const { pooled } = await newPooledDatabase();
    const services = await Promise.all(
      [1, 2, 3].map(() => createPeopleService({ database: { url: pooled }, sweepIntervalMs: 0 })),
    );
    const { key } = await services[0]!.keys.create({ scopes: ["people:read"] });
    expect(await services[2]!.keys.find(key)).toMatchObject({ scopes: ["people:read"] });
    await Promise.all(services.map((service) => service.close()));
  });

  test.each([
    ["refuses start parameters", []],
    ["drops start parameters", ["ignore_startup_parameters = options"]],
  ])(
    "each statement and transaction has its settings, and leaves none behind, where it %s",
    async (_, ini) => {
      const { direct, pooled } = await newPooledDatabase(ini);
      const settings = sql`
      select name, setting from pg_settings
      where name in ('enable_seqscan', 'jit', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')`;
      const wanted = {
        enable_seqscan: "off",
        jit: "off",
        statement_timeout: "4000",
        lock_timeout: "2000",
        idle_in_transaction_session_timeout: "4000",
      };
      for (const url of [direct, pooled]) {
        const { db, close } = await openDatabase({ url, timeoutMs: 4_000 }, silent);
        onTestFinished(close);
        expect(asObject(await rowsOf(db, settings))).toEqual(wanted);
        expect(asObject(await db.transaction((tx) => rowsOf(tx, settings)))).toEqual(wanted);
      }
      const client = new Client({ connectionString: pooled });
      await client.connect();
      onTestFinished(() => client.end());
      const { rows } = await client.query<{ statement_timeout: string }>("show statement_timeout");
      expect(rows).toEqual([{ statement_timeout: "0" }]);
    },
  );

  test("a failed statement rolls back itself only, and a wait for a locked row ends at the lock timeout", async () => {
    const { direct, pooled } = await newPooledDatabase();
    const { db, close } = await openDatabase({ url: pooled, connections: 1, timeoutMs: 1_000 }, silent);
    onTestFinished(close);
    const add = sql`insert into definitions (id, properties) values ('bought', '{}') returning pg_backend_pid() as pid`;
    await db.execute(add);
    await expect(db.execute(add)).rejects.toMatchObject({ cause: { code: "23505" } });
    const peer = new Client({ connectionString: direct });
    await peer.connect();
    onTestFinished(() => peer.end());
    await peer.query("begin");
    await peer.query("select * from definitions for update");
    const change = sql`update definitions set title = 'changed' returning title`;
    const refused = await db.execute(change).catch((error: unknown) => error);
    expect(refused).toMatchObject({ cause: { code: "55P03" } });
    expect(isUnavailable(refused)).toBe(true);
    await peer.query("rollback");
    expect(await rowsOf(db, change)).toEqual([{ title: "changed" }]);
  });

  test("while the pooler is suspended the database is unavailable, and no late response is read as another's", async () => {
    const { pooled, pooler } = await newPooledDatabase();
    const { db, close } = await openDatabase({ url: pooled, connections: 2, timeoutMs: 1_000 }, silent);
    onTestFinished(close);
    expect(await rowsOf(db, answer(1))).toEqual([{ value: 1 }]);
    pooler.suspend();
    const waiting = [
      db.execute(answer(2)),
      db.execute(answer(3)),
      db.transaction((tx) => tx.execute(answer(4))),
    ];
    const outcomes = await Promise.all(waiting.map((each) => each.catch(isUnavailable)));
    expect(outcomes).toEqual([true, true, true]);
    pooler.resume();
    expect(await Promise.all([5, 6, 7].map((value) => rowsOf(db, answer(value))))).toEqual([
      [{ value: 5 }],
      [{ value: 6 }],
      [{ value: 7 }],
    ]);
  });
});
