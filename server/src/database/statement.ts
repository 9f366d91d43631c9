import { fillPlaceholders, type SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import type { Database } from "./database.js";

/** Executes a prepared statement with these values. One driver returns 64-bit integers as strings. */
export type Statement<Values extends Record<string, unknown>, Row> = (
  db: Database,
  values: Values,
) => Promise<Row[]>;

const dialect = new PgDialect();

/**
 * Prepares a statement whose values are `sql.placeholder`s. Its text is built once, and each connection to PostgreSQL
 * parses it once, under its name.
 */
export function statement<Values extends Record<string, unknown>, Row = never>(
  name: string,
  query: SQL,
): Statement<Values, Row> {
  const { params, ...text } = dialect.sqlToQuery(query);
  return async (db, values) => {
    const built = { ...text, params: fillPlaceholders(params, values) };
    const result: unknown = await db._.session.prepareQuery(built, undefined, name, false).execute();
    return (result as { rows: Row[] }).rows;
  };
}
