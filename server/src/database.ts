import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { sql, type AnyColumn, type SQL } from "drizzle-orm";
import { drizzle as drizzlePg, type NodePgDatabase } from "drizzle-orm/node-postgres";
import { migrate as migratePg } from "drizzle-orm/node-postgres/migrator";
import type { PgDatabase, PgQueryResultHKT, PgTransactionConfig } from "drizzle-orm/pg-core";
import { drizzle as drizzlePglite } from "drizzle-orm/pglite";
import { migrate as migratePglite } from "drizzle-orm/pglite/migrator";
import { Pool } from "pg";
import { lockDataFolder } from "./data-folder-lock.js";
import * as schema from "./schema.js";

/** What both drivers share; a transaction is one too. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

/** PGlite in a folder (in memory when there is none), or a PostgreSQL server. */
export type DatabaseOptions =
  | {
      dataDir?: string;
      /** What PGlite's `dumpDataDir` gave: a new database begins as that one was, which is faster than making it. */
      snapshot?: Blob;
    }
  | { url: string; /** Connections at most; 10 by default. */ connections?: number };

export interface OpenDatabase {
  db: Database;
  close: () => Promise<void>;
}

// One step below the package's root both as source and as built.
export const migrationsFolder = join(dirname(fileURLToPath(import.meta.url)), "..", "drizzle");
/** Any number that is ours: processes that start at once on one server migrate one after the other. */
const MIGRATION_LOCK = 4_031_032;

export const openDatabase = (
  options: DatabaseOptions,
  onError: (error: unknown) => void,
): Promise<OpenDatabase> =>
  "url" in options
    ? openPostgres(options.url, options.connections ?? 10, onError)
    : openPglite(options.dataDir, options.snapshot);

async function openPglite(dataDir?: string, snapshot?: Blob): Promise<OpenDatabase> {
  if (dataDir) await mkdir(dataDir, { recursive: true });
  const unlock = dataDir ? await lockDataFolder(dataDir) : async () => {};
  try {
    const client = await PGlite.create({
      ...(dataDir && { dataDir }),
      ...(snapshot && { loadDataDir: snapshot }),
    });
    const db = drizzlePglite({ client, schema });
    await migratePglite(db, { migrationsFolder });
    return {
      db: db as unknown as Database,
      close: async () => {
        await client.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function openPostgres(
  url: string,
  connections: number,
  onError: (error: unknown) => void,
): Promise<OpenDatabase> {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // Whatever is asked for stands in an index. A plan made while the tables are empty would rather read them whole, and is
    // kept for as long as nobody counts them anew; to plan each statement anew costs as much as to execute it.
    options: "-c enable_seqscan=off -c jit=off",
  });
  // A connection that breaks is replaced by the next query; without a listener it would end the process, an idle one
  // by the pool's event, one in the middle of a transaction by its own.
  pool.on("error", onError);
  pool.on("connect", (client) => client.on("error", onError));
  try {
    const client = await pool.connect();
    try {
      await client.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
      await migratePg(drizzlePg(client), { migrationsFolder });
      await client.query("select pg_advisory_unlock($1)", [MIGRATION_LOCK]);
    } finally {
      client.release();
    }
  } catch (error) {
    await pool.end();
    throw error;
  }
  const db = drizzlePg(pool, { schema });
  return {
    db: Object.assign(db, { transaction: onOneConnection(pool) }) as unknown as Database,
    close: () => pool.end(),
  };
}

/**
 * Drizzle's own transaction on a pool never gives a connection back on which its `begin` fails, as it does where the
 * server went away: after a few of them none would be left, for good.
 */
const onOneConnection =
  (pool: Pool) =>
  async <Result>(work: Parameters<NodePgDatabase["transaction"]>[0], config?: PgTransactionConfig) => {
    const client = await pool.connect();
    let isBroken = false;
    try {
      return (await drizzlePg(client).transaction(work, config)) as Result;
    } catch (error) {
      isBroken = isUnavailable(error);
      throw error;
    } finally {
      client.release(isBroken);
    }
  };

/** The rows of a statement written by hand. 64-bit integers come as strings from one driver: see {@link Number}. */
export const rowsOf = async <Row>(db: Database, statement: SQL): Promise<Row[]> => {
  const result: unknown = await db.execute(statement);
  return (result as { rows: Row[] }).rows;
};

/** `column = any(…)` as one parameter, however many values there are. */
export const isAmong = (column: AnyColumn | SQL, values: readonly string[]): SQL =>
  sql`${column} = any(array(select json_array_elements_text(${JSON.stringify(values)}::json)))`;

/** Whether the database cannot be reached or gave up a transaction that may be tried again. */
export const isUnavailable = (error: unknown): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code;
    // SQLSTATE classes: 08 connection, 40 rollback (deadlock), 53 resources, 57 operator intervention, 58 system.
    if (typeof code === "string" && /^(08|40|53|57|58)[0-9A-Z]{3}$|^E[A-Z]+$/.test(code)) return true;
    if (
      /connection terminated|not queryable|timeout exceeded|pool after calling end|PGlite is clos/i.test(
        cause.message,
      )
    )
      return true;
  }
  return false;
};
