import { join } from "node:path";
import { sql, type AnyColumn, type SQL } from "drizzle-orm";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { packageFolder } from "../package-folder.js";
import type * as schema from "./schema.js";

/** What both drivers share; a transaction is one too. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

export interface PostgresOptions {
  url: string;
  /** Connections at most: 10. */
  connections?: number;
  /**
   * How long a statement may take, and an idle transaction: 10 s. For a lock and for a connection a statement waits half as
   * long. What takes longer is a 503.
   */
  timeoutMs?: number;
}

/** PGlite in a folder (in memory when there is none), or a PostgreSQL server. */
export type DatabaseOptions =
  | {
      dataDir?: string;
      /** What PGlite's `dumpDataDir` gave: a new database begins as that one was, which is faster than making it. */
      snapshot?: Blob;
    }
  | PostgresOptions;

export const POSTGRES_DEFAULTS = { connections: 10, timeoutMs: 10_000 } as const;

/** What a database tells while it is opened and used. */
export interface DatabaseEvents {
  onError: (error: unknown) => void;
  /** Each second while it cannot be opened yet, with the reason. What this throws ends the waiting. */
  onWaiting: (reason: string) => void;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
}

export interface OpenDatabase {
  db: Database;
  /** What it is and where, without any secret. */
  description: string;
  close: () => Promise<void>;
}

export const migrationsFolder = join(packageFolder, "drizzle");

/** The rows of a statement written by hand. 64-bit integers come as strings from one driver: see {@link Number}. */
export const rowsOf = async <Row>(db: Database, statement: SQL): Promise<Row[]> => {
  const result: unknown = await db.execute(statement);
  return (result as { rows: Row[] }).rows;
};

/** `column = any(…)` as one parameter, however many values there are. */
export const isAmong = (column: AnyColumn | SQL, values: readonly string[]): SQL =>
  sql`${column} = any(array(select json_array_elements_text(${JSON.stringify(values)}::json)))`;

/** Whether the database cannot be reached, does not answer in time, or gave up a transaction that may be tried again. */
export const isUnavailable = (error: unknown): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code;
    // SQLSTATE classes: 08 connection, 40 rollback (deadlock), 53 resources, 57 operator intervention and timeouts, 58 system;
    // and the timeouts for locks (55P03) and in transactions.
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
