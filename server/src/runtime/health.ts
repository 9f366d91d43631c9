import { sql } from "drizzle-orm";
import type { Database } from "../database/database.js";
import { Problem } from "../http/problem.js";

/** Health checks wait a few seconds at most, and a service whose database is slower than this is not ready. */
const TIMEOUT_MS = 3_000;

/**
 * Creates a check that queries the database. Concurrent checks share one query, because the route is public and must not
 * use more than one connection.
 *
 * @returns the check; it throws a 503 if the database fails or exceeds the timeout
 */
export function createHealthCheck(db: Database, timeoutMs = TIMEOUT_MS): () => Promise<void> {
  let pending: Promise<unknown> | undefined;
  return async () => {
    pending ??= Promise.resolve(db.execute(sql`select 1`)).finally(() => (pending = undefined));
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Problem(5030, "the database does not answer in time")), timeoutMs);
    });
    try {
      await Promise.race([pending, timeout]);
    } finally {
      clearTimeout(timer);
    }
  };
}
