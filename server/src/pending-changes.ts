import { sql } from "drizzle-orm";
import type { EventOperation } from "../../src/protocol/wire.js";
import type { ActivitySession } from "./activity-session.js";
import type { Database } from "./database.js";
import type { Moment } from "./operation-times.js";
import { finishFields, type FieldsDraft } from "./person-fields.js";
import { events, operationIds, profiles, sessions } from "./schema.js";
import { statement } from "./statement.js";

/** What a batch is about to write, gathered so that it takes a few statements however many operations there are. */
export interface PendingChanges {
  ids: string[];
  events: object[];
  /** By session id. */
  sessions: Map<string, ActivitySession>;
  /** Closings by the service that the browser's own account replaces. */
  withdrawn: number[];
  lastActivityAt: number;
}

export const noChanges = (): PendingChanges => ({
  ids: [],
  events: [],
  sessions: new Map(),
  withdrawn: [],
  lastActivityAt: 0,
});

export function addEvent(pending: PendingChanges, event: EventOperation, moment: Moment): void {
  pending.events.push({
    operation_id: event.id,
    definition_id: event.definitionId,
    session_id: event.sessionId,
    occurred_at: moment.at,
    given_at: moment.givenAt,
    properties: event.properties ?? null,
    page: event.page ?? null,
  });
  pending.lastActivityAt = Math.max(pending.lastActivityAt, moment.at);
}

const insertIds = statement<{ owner: number; receivedAt: number; ids: string }>(
  "insert_ids",
  sql`
    insert into ${operationIds} (owner, id, received_at)
    select ${sql.placeholder("owner")}::bigint, value, ${sql.placeholder("receivedAt")}::bigint
    from json_array_elements_text(${sql.placeholder("ids")}::json)`,
);
// Read as jsonb, in which the properties are stored: from json they would be parsed twice.
const insertEvents = statement<{ owner: number; receivedAt: number; events: string }>(
  "insert_events",
  sql`
    insert into ${events} (owner, received_at, operation_id, definition_id, session_id, occurred_at, given_at, properties, page)
    select ${sql.placeholder("owner")}::bigint, ${sql.placeholder("receivedAt")}::bigint,
      operation_id, definition_id, session_id, occurred_at, given_at, properties, page
    from jsonb_to_recordset(${sql.placeholder("events")}::jsonb) as rows (
      operation_id text, definition_id text, session_id text, occurred_at bigint, given_at bigint,
      properties jsonb, page jsonb)`,
);
const upsertSessions = statement<{ owner: number; sessions: string }>(
  "upsert_sessions",
  sql`
    insert into ${sessions} (owner, id, started_at, last_activity_at, ended_at, closing_seq)
    select ${sql.placeholder("owner")}::bigint, id, started_at, last_activity_at, ended_at, closing_seq
    from json_to_recordset(${sql.placeholder("sessions")}::json) as rows (
      id text, started_at bigint, last_activity_at bigint, ended_at bigint, closing_seq bigint)
    on conflict (owner, id) do update set
      started_at = excluded.started_at, last_activity_at = excluded.last_activity_at,
      ended_at = excluded.ended_at, closing_seq = excluded.closing_seq`,
);
const raiseLastActivity = statement<{ owner: number; at: number }>(
  "raise_last_activity",
  sql`
    update ${profiles} set last_activity_at = greatest(last_activity_at, ${sql.placeholder("at")}::bigint)
    where key = ${sql.placeholder("owner")}::bigint`,
);

/**
 * Rows travel as one JSON parameter: the statement is the same for any number of them, and no limit on parameters is
 * near. They get their `seq` in the order of the array.
 */
export async function writeChanges(
  tx: Database,
  owner: number,
  receivedAt: number,
  pending: PendingChanges,
): Promise<void> {
  await deleteEvents(tx, pending.withdrawn);
  if (pending.ids.length) await insertIds(tx, { owner, receivedAt, ids: JSON.stringify(pending.ids) });
  if (pending.events.length)
    await insertEvents(tx, { owner, receivedAt, events: JSON.stringify(pending.events) });
  if (pending.sessions.size) await writeSessions(tx, owner, [...pending.sessions.values()]);
  if (pending.lastActivityAt) await raiseLastActivity(tx, { owner, at: pending.lastActivityAt });
}

export async function deleteEvents(tx: Database, seqs: readonly number[]): Promise<void> {
  if (!seqs.length) return;
  await tx
    .delete(events)
    .where(
      sql`${events.seq} in (select value::bigint from json_array_elements_text(${JSON.stringify(seqs)}::json))`,
    );
}

export async function writeSessions(
  tx: Database,
  owner: number,
  rows: readonly ActivitySession[],
): Promise<void> {
  await upsertSessions(tx, { owner, sessions: JSON.stringify(rows.map(toRow)) });
}
const toRow = (session: ActivitySession) => ({
  id: session.id,
  started_at: session.startedAt,
  last_activity_at: session.lastActivityAt,
  ended_at: session.endedAt,
  closing_seq: session.closingSeq,
});

export async function writeFields(tx: Database, owner: number, draft: FieldsDraft): Promise<void> {
  await tx
    .update(profiles)
    .set({ fields: finishFields(draft) })
    .where(sql`${profiles.key} = ${owner}`);
}

const selectApplied = statement<{ owner: number; ids: string }, { id: string }>(
  "applied_ids",
  sql`
    select id from ${operationIds}
    where owner = ${sql.placeholder("owner")}::bigint
      and id = any(array(select json_array_elements_text(${sql.placeholder("ids")}::json)))`,
);

/** Which of the ids were applied before. */
export async function appliedIds(tx: Database, owner: number, ids: readonly string[]): Promise<Set<string>> {
  const rows = await selectApplied(tx, { owner, ids: JSON.stringify(ids) });
  return new Set(rows.map(({ id }) => id));
}

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
      and id = any(array(select json_array_elements_text(${sql.placeholder("ids")}::json)))`,
);

/** What is known of the owner's sessions, by id. */
export async function knownSessions(
  tx: Database,
  owner: number,
  ids: readonly string[],
): Promise<Map<string, ActivitySession>> {
  if (!ids.length) return new Map();
  const rows = await selectSessions(tx, { owner, ids: JSON.stringify(ids) });
  const known = rows.map((row) => ({
    id: row.id,
    startedAt: Number(row.started_at),
    lastActivityAt: Number(row.last_activity_at),
    endedAt: row.ended_at === null ? null : Number(row.ended_at),
    closingSeq: row.closing_seq === null ? null : Number(row.closing_seq),
  }));
  return new Map(known.map((session) => [session.id, session]));
}
