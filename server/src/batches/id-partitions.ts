/**
 * Operation ids are partitioned by the week of their receipt. A week's ids are deleted by dropping its partition, which
 * costs the same however many there are. The sweep creates partitions ahead of time. A batch that finds none for its own
 * time of receipt creates it, so that batches do not depend on the sweep.
 */
import { sql, type SQL } from "drizzle-orm";
import { DAY } from "../../../src/protocol/wire.js";
import { ADVISORY_LOCKS } from "../database/advisory-locks.js";
import { rowsOf, type Database } from "../database/database.js";
import { operationIds } from "../database/schema.js";

/** Every lookup of an id visits all partitions: shorter ones would be deleted sooner, but there would be more of them. */
const WEEK = 7 * DAY;
/**
 * Dropping a partition waits for all statements that use ids, and later statements queue behind it. If the lock is not
 * available within this time, the next sweep tries again.
 */
const LOCK_TIMEOUT = sql.raw("'200ms'");

interface Partition {
  /** As an SQL identifier, quoted if necessary. */
  name: string;
  from: number;
  /** Exclusive. */
  to: number;
}

const weekOf = (time: number): number => Math.floor(time / WEEK) * WEEK;

async function listPartitions(db: Database): Promise<Partition[]> {
  const rows = await rowsOf<{ name: string; bounds: string }>(
    db,
    sql`select partition.oid::regclass::text as name, pg_get_expr(partition.relpartbound, partition.oid) as bounds
      from pg_inherits join pg_class as partition on partition.oid = inhrelid
      where inhparent = ${"operation_ids"}::regclass`,
  );
  return rows.map(({ name, bounds }) => {
    const [, from, to] = /FROM \('?(MINVALUE|-?\d+)'?\) TO \('?(\d+)'?\)/.exec(bounds) ?? [];
    if (!from || !to)
      throw new Error(`The partition ${name} has bounds that the service did not make: ${bounds}`);
    return { name, from: from === "MINVALUE" ? -Infinity : Number(from), to: Number(to) };
  });
}

/** Creates the missing partitions for ids that are received at these times. */
export async function makePartitions(db: Database, times: readonly number[]): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${ADVISORY_LOCKS.partitions})`);
    const partitions = await listPartitions(tx);
    for (const start of new Set(times.map(weekOf))) {
      if (partitions.some(({ from, to }) => from <= start && start < to)) continue;
      const name = sql.identifier(
        `operation_ids_${new Date(start).toISOString().slice(0, 10).replaceAll("-", "_")}`,
      );
      // Attaching a table needs a weaker lock than creating a partition: it does not wait for running batches.
      await tx.execute(sql`create table ${name} (like ${operationIds}, primary key (owner, id))`);
      await tx.execute(
        sql`alter table ${operationIds} attach partition ${name} for values from (${literal(start)}) to (${literal(start + WEEK)})`,
      );
    }
  });
}

/** Creates the partitions of this week and the next. */
export const makePartitionsAhead = (db: Database, now: number): Promise<void> =>
  makePartitions(db, [now, now + WEEK]);

/** Drops the partitions whose ids were all received before a time. */
export async function dropPartitions(db: Database, before: number): Promise<void> {
  for (const { name, to } of await listPartitions(db)) {
    if (to > before) continue;
    await db
      .transaction(async (tx) => {
        await tx.execute(sql`set local lock_timeout = ${LOCK_TIMEOUT}`);
        await tx.execute(sql`drop table if exists ${sql.raw(name)}`);
      })
      .catch((error: unknown) => {
        if (!isLockTimeout(error)) throw error;
      });
  }
}

/** Whether ids could not be written because no partition covers their time of receipt. */
export const isPartitionMissing = (error: unknown): boolean => {
  const { code, table } = causeOf(error);
  return code === "23514" && table === "operation_ids";
};
const isLockTimeout = (error: unknown): boolean => causeOf(error).code === "55P03";
const causeOf = (error: unknown) => ((error as Error).cause ?? {}) as { code?: unknown; table?: unknown };

/** A number as SQL text, because DDL statements accept no parameters. */
const literal = (number: number): SQL => sql.raw(String(number));
