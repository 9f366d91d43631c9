import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Client } from "pg";
import type * as Service from "../../server/src/index.js";
import { startPostgres } from "../../server/tests/support/start-postgres.js";

/** A place for data, as the service's environment names it. */
export type Place = { DATA_DIR: string } | { DATABASE_URL: string };

export type DatabaseName = "PGlite" | "PostgreSQL";

/** A database that already contains operations, and equal copies of it. */
export interface Store {
  copy: () => Promise<Place>;
  remove: () => Promise<void>;
}

/** Writes the operations of a thousand visitors with SQL. */
const fillSql = (operations: number): string => `
  insert into profiles (kind, id, created_at, last_activity_at)
    select 'visitor', gen_random_uuid()::text, 0, 0 from generate_series(1, 1000);
  insert into operation_ids (owner, id, received_at)
    select n % 1000 + 1, gen_random_uuid()::text, n from generate_series(1, ${operations}) n;
  insert into events (owner, operation_id, definition_id, session_id, occurred_at, given_at, received_at, properties, page)
    select owner, id, 'productViewed', 'stored', received_at, received_at, received_at,
      '{"article": "shoe-1", "category": "outdoor", "price": 60.5, "count": 1}',
      '{"url": "https://shop.example/outdoor/shoes?page=1", "title": "Shoes – Shop"}'
    from operation_ids;
  insert into sessions (owner, id, started_at, last_activity_at, ended_at)
    select owner, 'stored', min(occurred_at), max(occurred_at), max(occurred_at) from events group by owner;
  analyze;`;

/** Starts PostgreSQL in a temporary cluster; null if it is not installed. */
export async function openPostgresStores(): Promise<{
  fill: (operations: number) => Promise<Store>;
  close: () => Promise<void>;
} | null> {
  const server = await startPostgres();
  if (!server) return null;
  let count = 0;
  const newDatabase = async (template?: string) => {
    const name = `bench_${++count}`;
    await run(server.url, `create database ${name} ${template ? `template ${template}` : ""}`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return { name, url: url.href };
  };
  return {
    close: server.remove,
    async fill(operations) {
      const { name, url } = await newDatabase();
      const names = [name];
      await migrate({ DATABASE_URL: url });
      await run(url, fillSql(operations));
      return {
        async copy() {
          const copy = await newDatabase(name);
          names.push(copy.name);
          // Write the rest of the copy to disk now, so that it does not disturb the measurement.
          await run(server.url, "checkpoint");
          return { DATABASE_URL: copy.url };
        },
        async remove() {
          for (const each of names) await run(server.url, `drop database ${each} with (force)`);
        },
      };
    },
  };
}

export async function fillPglite(operations: number): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "people-bench-"));
  let count = 0;
  const original = join(folder, "original");
  await migrate({ DATA_DIR: original });
  const db = await PGlite.create({ dataDir: original });
  await db.exec(fillSql(operations));
  await db.close();
  return {
    async copy() {
      const copy = join(folder, `copy-${++count}`);
      await cp(original, copy, { recursive: true });
      return { DATA_DIR: copy };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The built service, as it is measured: bundled into the benchmark it would not find its migrations. */
async function migrate(place: Place): Promise<void> {
  const built = new URL("../../server/dist/index.js", import.meta.url).href;
  const { createPeopleService } = (await import(built)) as typeof Service;
  const database = "DATABASE_URL" in place ? { url: place.DATABASE_URL } : { dataDir: place.DATA_DIR };
  const service = await createPeopleService({ database, sweepIntervalMs: 0 });
  await service.close();
}
