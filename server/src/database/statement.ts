import { fillPlaceholders, type SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import type { Database } from "./database.js";

/** The rows of a statement with these values; 64-bit integers come as strings from one driver: see {@link Number}. */
export type Statement<Values extends Record<string, unknown>, Row> = (
  db: Database,
  values: Values,
) => Promise<Row[]>;

const dialect = new PgDialect();

/**
 * A statement of every batch. Its text is made once, and each connection to PostgreSQL parses it once, under its name.
 * Its values are `sql.placeholder`s.
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
