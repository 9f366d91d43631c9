import { sql, type SQL } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import {
  DAY,
  MINUTE,
  SESSION_TIMEOUT_MS,
  STANDARD_EVENTS,
  VISITOR_LIFETIME_MS,
} from "../../src/protocol/wire.js";
import { dropPartitions, makePartitionsAhead } from "./batches/id-partitions.js";
import { FORGET_AFTER_MS } from "./batches/operation-times.js";
import { ADVISORY_LOCKS } from "./database/advisory-locks.js";
import { rowsOf, type Database } from "./database/database.js";
import {
  events,
  keptOperationIds,
  liveChatSessions,
  operationIds,
  profiles,
  registrations,
  sessions,
  usedJwtIds,
} from "./database/schema.js";

/** A browser that returns within this time can end its session itself before the service closes it. */
const CLOSING_GRACE_MS = 10 * MINUTE;
/** A merge proves its visitor by a registration. The visitor may have been idle for 45 days and then offline for 30. */
const KEEP_REGISTRATIONS_MS = 90 * DAY;
/** The rows of one transaction; the next transaction follows at once. */
const ROWS_AT_ONCE = 1000;
/** Fewer, because each is deleted with all its rows. */
const VISITORS_AT_ONCE = 100;

export interface SweepReport {
  closedSessions: number;
  deletedVisitors: number;
}

/**
 * Closes sessions whose time is up, and deletes idle visitors and what is no longer needed. One process sweeps at a time;
 * the others skip. Every query has an index, so a sweep with nothing due reads the first pages of a few indexes, however
 * much data there is.
 */
export async function sweep(db: Database, now: number): Promise<SweepReport> {
  const untilDone = (limit: number, step: (tx: Database) => Promise<number>) =>
    repeatWhileFull(limit, async () => (await withSweepLock(db, step)) ?? 0);
  const forget = (table: PgTable, isDue: SQL) =>
    untilDone(ROWS_AT_ONCE, (tx) => deleteSome(tx, table, isDue));

  const report = {
    closedSessions: await untilDone(ROWS_AT_ONCE, (tx) => closeSessions(tx, now)),
    deletedVisitors: await untilDone(VISITORS_AT_ONCE, (tx) => deleteVisitors(tx, now - VISITOR_LIFETIME_MS)),
  };
  await forget(
    sessions,
    sql`last_activity_at < ${now - FORGET_AFTER_MS} and (ended_at is not null or closing_seq is not null)`,
  );
  await forget(registrations, sql`expires_at < ${now - KEEP_REGISTRATIONS_MS}`);
  await forget(liveChatSessions, sql`terminated_at < ${now - FORGET_AFTER_MS}`);
  await forget(usedJwtIds, sql`expires_at < ${now}`);
  await withSweepLock(db, (tx) => makePartitionsAhead(tx, now));
  await withSweepLock(db, (tx) => dropPartitions(tx, now - FORGET_AFTER_MS));
  return report;
}

/**
 * Runs one step of the sweep under an advisory lock. Returns null if another process holds it. The lock belongs to the
 * step's transaction, so that it ends with its process and works through a pooler.
 */
const withSweepLock = <Result>(
  db: Database,
  step: (tx: Database) => Promise<Result>,
): Promise<Result | null> =>
  db.transaction(async (tx) => {
    const [lock] = await rowsOf<{ mine: boolean }>(
      tx,
      sql`select pg_try_advisory_xact_lock(${ADVISORY_LOCKS.sweep}) as mine`,
    );
    return lock?.mine ? step(tx) : null;
  });

async function repeatWhileFull(limit: number, step: () => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const count = await step();
    total += count;
    if (count < limit) return total;
  }
}

const deleteSome = async (tx: Database, table: PgTable, isDue: SQL): Promise<number> => {
  const gone = await rowsOf(
    tx,
    sql`delete from ${table} where ctid = any(array(
        select ctid from ${table} where ${isDue} limit ${ROWS_AT_ONCE} for update skip locked))
      returning 1`,
  );
  return gone.length;
};

/**
 * Closes sessions whose browser did not return. Like a batch, it locks the owners' rows first. Rows that a batch has locked
 * are left to the next sweep.
 */
async function closeSessions(tx: Database, now: number): Promise<number> {
  const due = await rowsOf<{ owner: string; id: string; ends_at: string }>(
    tx,
    sql`select s.owner, s.id, s.last_activity_at + ${SESSION_TIMEOUT_MS}::bigint as ends_at
      from ${sessions} s join ${profiles} p on p.key = s.owner
      where s.ended_at is null and s.closing_seq is null
        and s.last_activity_at < ${now - SESSION_TIMEOUT_MS - CLOSING_GRACE_MS}::bigint
      order by s.last_activity_at limit ${ROWS_AT_ONCE} for update of p, s skip locked`,
  );
  if (!due.length) return 0;
  await tx.execute(sql`
    with due as (
      select * from json_to_recordset(${JSON.stringify(due)}::json) as rows (owner bigint, id text, ends_at bigint)
    ), closed as (
      insert into ${events} (owner, definition_id, session_id, occurred_at, given_at, received_at, closed_by)
      select owner, ${STANDARD_EVENTS.end}, id, ends_at, ends_at, ${now}::bigint, 'service' from due
      returning owner, session_id, seq
    ), changed as (
      update ${profiles} set revision = revision + 1 where key in (select owner from due)
    )
    update ${sessions} set closing_seq = closed.seq from closed
    where ${sessions.owner} = closed.owner and ${sessions.id} = closed.session_id`);
  return due.length;
}

/** Deletes idle visitors with all their rows. Merged visitors stay, because they record that a visitor merges only once. */
async function deleteVisitors(tx: Database, idleSince: number): Promise<number> {
  const gone = await rowsOf<{ key: string }>(
    tx,
    sql`delete from ${profiles} where key in (
        select key from ${profiles}
        where kind = 'visitor' and merged_into is null and last_activity_at < ${idleSince}::bigint
        order by last_activity_at limit ${VISITORS_AT_ONCE} for update skip locked)
      returning key`,
  );
  if (!gone.length) return 0;
  const keys = JSON.stringify(gone.map(({ key }) => Number(key)));
  for (const table of [events, sessions, operationIds, keptOperationIds])
    await tx
      .delete(table)
      .where(sql`${table.owner} in (select value::bigint from json_array_elements_text(${keys}::json))`);
  return gone.length;
}
