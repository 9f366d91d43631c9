import { sql } from "drizzle-orm";
import {
  DAY,
  MINUTE,
  SESSION_TIMEOUT_MS,
  STANDARD_EVENTS,
  VISITOR_LIFETIME_MS,
} from "../../src/protocol/wire.js";
import { rowsOf, type Database } from "./database.js";
import {
  events,
  liveChatSessions,
  operationIds,
  profiles,
  registrations,
  sessions,
  usedJwtIds,
} from "./schema.js";

/** A browser that comes back within this has its own say before the service closes its session. */
const CLOSING_GRACE_MS = 10 * MINUTE;
/** Operations are refused after 30 days; their ids and sessions are of no use then. */
const FORGET_AFTER_MS = 31 * DAY;
/** A merge brings a registration of a visitor that was idle for up to 45 days and was then offline for up to 30. */
const KEEP_REGISTRATIONS_MS = 90 * DAY;
/** Enough for one transaction; the rest follows at once. */
const ROWS_AT_ONCE = 1000;

export interface SweepReport {
  closedSessions: number;
  deletedVisitors: number;
}

/** What is due with time alone. Any number of processes may do it at once. */
export async function sweep(db: Database, now: number): Promise<SweepReport> {
  const report = {
    closedSessions: await untilDone(() => closeSessions(db, now)),
    deletedVisitors: await untilDone(() => deleteVisitors(db, now - VISITOR_LIFETIME_MS)),
  };
  await db.delete(operationIds).where(sql`${operationIds.receivedAt} < ${now - FORGET_AFTER_MS}`);
  await db
    .delete(sessions)
    .where(
      sql`${sessions.lastActivityAt} < ${now - FORGET_AFTER_MS} and (${sessions.endedAt} is not null or ${sessions.closingSeq} is not null)`,
    );
  await db.delete(registrations).where(sql`${registrations.expiresAt} < ${now - KEEP_REGISTRATIONS_MS}`);
  await db.delete(liveChatSessions).where(sql`${liveChatSessions.terminatedAt} < ${now - FORGET_AFTER_MS}`);
  await db.delete(usedJwtIds).where(sql`${usedJwtIds.expiresAt} < ${now}`);
  return report;
}

async function untilDone(step: () => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const count = await step();
    total += count;
    if (count < ROWS_AT_ONCE) return total;
  }
}

/**
 * Closes sessions whose browser did not come back. The rows of the owners are locked first, as a batch does; those that
 * a batch holds now are left to the next sweep.
 */
const closeSessions = (db: Database, now: number): Promise<number> =>
  db.transaction(async (tx) => {
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
  });

/** Deletes visitors that were idle for too long, with all that they left. Merged ones are markers that a visitor merges once. */
const deleteVisitors = (db: Database, idleSince: number): Promise<number> =>
  db.transaction(async (tx) => {
    const gone = await rowsOf<{ key: string }>(
      tx,
      sql`delete from ${profiles} where key in (
          select key from ${profiles}
          where kind = 'visitor' and merged_into is null and last_activity_at < ${idleSince}::bigint
          order by key limit ${ROWS_AT_ONCE} for update skip locked)
        returning key`,
    );
    const keys = JSON.stringify(gone.map(({ key }) => Number(key)));
    for (const table of [events, sessions, operationIds])
      if (gone.length)
        await tx
          .delete(table)
          .where(sql`${table.owner} in (select value::bigint from json_array_elements_text(${keys}::json))`);
    return gone.length;
  });
