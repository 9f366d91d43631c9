import { join } from "node:path";
import { sql, type AnyColumn, type SQL } from "drizzle-orm";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { packageFolder } from "../package-folder.js";
import type * as schema from "./schema.js";

/** The interface that both drivers share; a transaction has it too. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

export interface PostgresOptions {
  url: string;
  /** The maximum number of connections: 10. */
  connections?: number;
  /**
   * The timeout of a statement and of an idle transaction: 10 s. The timeouts for a lock and for a connection are half as
   * long. A request that exceeds one of them is answered with 503.
   */
  timeoutMs?: number;
}

/** PGlite in a folder (in memory when there is none), or a PostgreSQL server. */
export type DatabaseOptions =
  | {
      dataDir?: string;
      /** A result of PGlite's `dumpDataDir`: a new database starts as its copy, which is faster than creating it. */
      snapshot?: Blob;
    }
  | PostgresOptions;

export const POSTGRES_DEFAULTS = { connections: 10, timeoutMs: 10_000 } as const;

/** The events of a database while it is opened and used. */
export interface DatabaseEvents {
  onError: (error: unknown) => void;
  /** Called each second while the database is unavailable, with the reason. An error that it throws ends the waiting. */
  onWaiting: (reason: string) => void;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
}

export interface OpenDatabase {
  db: Database;
  /** The kind of database and its address, without secrets. */
  description: string;
  close: () => Promise<void>;
}

export const migrationsFolder = join(packageFolder, "drizzle");

/** Executes hand-written SQL and returns its rows. One driver returns 64-bit integers as strings. */
export const rowsOf = async <Row>(db: Database, statement: SQL): Promise<Row[]> => {
  const result: unknown = await db.execute(statement);
  return (result as { rows: Row[] }).rows;
};

/** `column = any(…)` with a single parameter for all values. */
export const isAmong = (column: AnyColumn | SQL, values: readonly string[]): SQL =>
  sql`${column} = any(array(select json_array_elements_text(${JSON.stringify(values)}::json)))`;

/** Whether an error means that the database is unreachable, timed out, or rolled back a transaction that can be retried. */
export const isUnavailable = (error: unknown): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code;
    // SQLSTATE classes: 08 connection, 40 rollback (deadlock), 53 resources, 57 operator intervention and timeouts, 58 system;
    // then the timeouts for locks (55P03) and in transactions (25P03, 25P04).
    if (
      typeof code === "string" &&
      /^(08|40|53|57|58)[0-9A-Z]{3}$|^55P03$|^25P0[34]$|^E(AI_)?[A-Z]+$/.test(code)
    )
      return true;
    if (
      /connection terminated|not queryable|read timeout|timeout e(xceeded|xpired)|pool after calling end|PGlite is clos/i.test(
        cause.message,
      )
    )
      return true;
  }
  return false;
};
