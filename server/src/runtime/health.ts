import { sql } from "drizzle-orm";
import type { Database } from "../database/database.js";
import { Problem } from "../http/problem.js";

/** Those who ask wait for a few seconds, and a service whose database is slower than this is not ready. */
const TIMEOUT_MS = 3_000;

/**
 * Whether the database answers, in time. Whoever asks while a question is under way gets its answer, so that the
 * question, which is open to everyone, takes one connection at most.
 *
 * @returns what asks, and throws a 503 where it does not answer
 */
export function openHealth(db: Database, timeoutMs = TIMEOUT_MS): () => Promise<void> {
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
