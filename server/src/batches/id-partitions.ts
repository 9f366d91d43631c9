/**
 * The partitions of the operation ids, one for each week of receipt. A week's ids are forgotten by dropping its partition,
 * which costs the same however many they are. Partitions are made ahead by the sweep; a batch that finds none for its
 * moment makes it, so that nothing depends on the sweep.
 */
import { sql, type SQL } from "drizzle-orm";
import { DAY } from "../../../src/protocol/wire.js";
import { ADVISORY_LOCKS } from "../database/advisory-locks.js";
import { rowsOf, type Database } from "../database/database.js";
import { operationIds } from "../database/schema.js";

/** Ids are looked up in each partition that is left: shorter ones would be forgotten sooner, but be more. */
const WEEK = 7 * DAY;
/**
 * Dropping a partition waits for all that reads or writes ids, and whoever comes meanwhile waits behind it. Where
 * a transaction takes longer than this, the next sweep tries again.
 */
const LOCK_TIMEOUT = sql.raw("'200ms'");

interface Partition {
  /** As SQL has it, quoted where it must be. */
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

/** Makes the partitions in which ids received at these times belong, where there are none. */
export async function makePartitions(db: Database, times: readonly number[]): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${ADVISORY_LOCKS.partitions})`);
    const partitions = await listPartitions(tx);
    for (const start of new Set(times.map(weekOf))) {
      if (partitions.some(({ from, to }) => from <= start && start < to)) continue;
      const name = sql.identifier(
        `operation_ids_${new Date(start).toISOString().slice(0, 10).replaceAll("-", "_")}`,
      );
      // Attached rather than made as a partition, for which batches under way need not be waited for.
      await tx.execute(sql`create table ${name} (like ${operationIds}, primary key (owner, id))`);
      await tx.execute(
        sql`alter table ${operationIds} attach partition ${name} for values from (${literal(start)}) to (${literal(start + WEEK)})`,
      );
    }
  });
}

/** Makes this week's and the next one's partition. */
export const makePartitionsAhead = (db: Database, now: number): Promise<void> =>
  makePartitions(db, [now, now + WEEK]);

/** Drops the partitions whose ids were all received before a moment. */
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

/** Whether ids could not be written because there is no partition for their time of receipt. */
export const isPartitionMissing = (error: unknown): boolean => {
  const { code, table } = causeOf(error);
  return code === "23514" && table === "operation_ids";
};
const isLockTimeout = (error: unknown): boolean => causeOf(error).code === "55P03";
const causeOf = (error: unknown) => ((error as Error).cause ?? {}) as { code?: unknown; table?: unknown };

/** Statements that define something take no parameters. */
const literal = (number: number): SQL => sql.raw(String(number));
