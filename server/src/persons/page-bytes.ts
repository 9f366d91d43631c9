import { sql, type AnyColumn, type SQL } from "drizzle-orm";

/**
 * What the entries of one page of a list may hold together. Each may be as large as a batch, and a page of a thousand of
 * them would be a gigabyte in the memory of the service.
 */
const PAGE_BYTES = 8 * 1024 * 1024;

/** The length of what a row holds in its columns of JSON. */
export const bytesOf = (...columns: AnyColumn[]): SQL<number> =>
  sql<number>`${sql.join(
    columns.map((column) => sql`coalesce(octet_length(${column}::text), 0)`),
    sql` + `,
  )}`;

/** How many rows of such lengths one page holds: at least one, so that whoever reads on gets on. */
export function countWithinPage(rows: readonly { bytes: number }[]): number {
  let total = 0;
  const count = rows.findIndex(({ bytes }) => (total += bytes) > PAGE_BYTES);
  return count < 0 ? rows.length : Math.max(1, count);
}
