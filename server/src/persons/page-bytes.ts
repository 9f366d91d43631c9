import { sql, type AnyColumn, type SQL } from "drizzle-orm";

/** The maximum size of one page of a list. An entry can be as large as a batch, so a thousand of them would be a gigabyte. */
const PAGE_BYTES = 8 * 1024 * 1024;

/** The SQL for the total length of JSON columns of a row. */
export const bytesOf = (...columns: AnyColumn[]): SQL<number> =>
  sql<number>`${sql.join(
    columns.map((column) => sql`coalesce(octet_length(${column}::text), 0)`),
    sql` + `,
  )}`;

/** How many rows of these sizes one page holds: at least one, so that every page makes progress. */
export function countWithinPage(rows: readonly { bytes: number }[]): number {
  let total = 0;
  const count = rows.findIndex(({ bytes }) => (total += bytes) > PAGE_BYTES);
  return count < 0 ? rows.length : Math.max(1, count);
}
