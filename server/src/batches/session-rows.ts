import { sql, type Placeholder, type SQL } from "drizzle-orm";
import type { Database } from "../database/database.js";
import { sessions } from "../database/schema.js";
import { statement } from "../database/statement.js";
import type { ActivitySession } from "./activity-session.js";
import { listOf } from "./operation-ids.js";

/**
 * Inserts or replaces sessions.
 *
 * @param owners a table with the owner's `key`, or without a row
 * @param rows the placeholder of {@link sessionsJson}
 */
export function upsertSessionsOf(owners: SQL, rows: Placeholder): SQL {
  return sql`
      insert into ${sessions} (owner, id, started_at, last_activity_at, ended_at, closing_seq)
      select owners.key, id, started_at, last_activity_at, ended_at, closing_seq
      from ${owners} as owners, json_to_recordset(${rows}::json) as rows (
        id text, started_at bigint, last_activity_at bigint, ended_at bigint, closing_seq bigint)
      on conflict (owner, id) do update set
        started_at = excluded.started_at, last_activity_at = excluded.last_activity_at,
        ended_at = excluded.ended_at, closing_seq = excluded.closing_seq`;
}
const upsertSessions = statement<{ owner: number; sessions: string }>(
  "upsert_sessions",
  upsertSessionsOf(sql`(select ${sql.placeholder("owner")}::bigint as key)`, sql.placeholder("sessions")),
);

/** Writes the sessions of an owner, whose row the transaction has locked. */
export async function writeSessions(
  tx: Database,
  owner: number,
  rows: readonly ActivitySession[],
): Promise<void> {
  await upsertSessions(tx, { owner, sessions: sessionsJson(rows) });
}

export const sessionsJson = (rows: readonly ActivitySession[]): string => JSON.stringify(rows.map(toRow));
const toRow = (session: ActivitySession) => ({
  id: session.id,
  started_at: session.startedAt,
  last_activity_at: session.lastActivityAt,
  ended_at: session.endedAt,
  closing_seq: session.closingSeq,
});

const selectSessions = statement<
  { owner: number; ids: string },
  {
    id: string;
    started_at: string;
    last_activity_at: string;
    ended_at: string | null;
    closing_seq: string | null;
  }
>(
  "known_sessions",
  sql`
    select id, started_at, last_activity_at, ended_at, closing_seq from ${sessions}
    where owner = ${sql.placeholder("owner")}::bigint
      and id = any(string_to_array(${sql.placeholder("ids")}, ','))`,
);

/** Finds those of the owner's sessions that have the ids, by id. */
export async function findSessions(
  tx: Database,
  owner: number,
  ids: readonly string[],
): Promise<Map<string, ActivitySession>> {
  if (!ids.length) return new Map();
  const rows = await selectSessions(tx, { owner, ids: listOf(ids) });
  const known = rows.map((row) => ({
    id: row.id,
    startedAt: Number(row.started_at),
    lastActivityAt: Number(row.last_activity_at),
    endedAt: row.ended_at === null ? null : Number(row.ended_at),
    closingSeq: row.closing_seq === null ? null : Number(row.closing_seq),
  }));
  return new Map(known.map((session) => [session.id, session]));
}
