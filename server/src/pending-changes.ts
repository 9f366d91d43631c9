import { sql } from "drizzle-orm";
import type { EventOperation } from "../../src/protocol/wire.js";
import type { ActivitySession } from "./activity-session.js";
import { isAmong, rowsOf, type Database } from "./database.js";
import type { Moment } from "./operation-times.js";
import { finishFields, type FieldsDraft } from "./person-fields.js";
import { events, operationIds, profiles, sessions } from "./schema.js";

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
  if (pending.ids.length)
    await tx.execute(sql`
      insert into ${operationIds} (owner, id, received_at)
      select ${owner}::bigint, value, ${receivedAt}::bigint
      from json_array_elements_text(${JSON.stringify(pending.ids)}::json)`);
  if (pending.events.length)
    await tx.execute(sql`
      insert into ${events} (owner, received_at, operation_id, definition_id, session_id, occurred_at, given_at, properties, page)
      select ${owner}::bigint, ${receivedAt}::bigint, operation_id, definition_id, session_id, occurred_at, given_at,
        properties, page
      from json_to_recordset(${JSON.stringify(pending.events)}::json) as rows (
        operation_id text, definition_id text, session_id text, occurred_at bigint, given_at bigint,
        properties jsonb, page jsonb)`);
  if (pending.sessions.size) await writeSessions(tx, owner, [...pending.sessions.values()]);
  if (pending.lastActivityAt)
    await tx
      .update(profiles)
      .set({ lastActivityAt: sql`greatest(${profiles.lastActivityAt}, ${pending.lastActivityAt}::bigint)` })
      .where(sql`${profiles.key} = ${owner}`);
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
  await tx.execute(sql`
    insert into ${sessions} (owner, id, started_at, last_activity_at, ended_at, closing_seq)
    select ${owner}::bigint, id, started_at, last_activity_at, ended_at, closing_seq
    from json_to_recordset(${JSON.stringify(rows.map(toRow))}::json) as rows (
      id text, started_at bigint, last_activity_at bigint, ended_at bigint, closing_seq bigint)
    on conflict (owner, id) do update set
      started_at = excluded.started_at, last_activity_at = excluded.last_activity_at,
      ended_at = excluded.ended_at, closing_seq = excluded.closing_seq`);
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

/** Which of the ids were applied before. */
export async function appliedIds(tx: Database, owner: number, ids: readonly string[]): Promise<Set<string>> {
  const rows = await rowsOf<{ id: string }>(
    tx,
    sql`select id from ${operationIds} where owner = ${owner} and ${isAmong(sql`id`, ids)}`,
  );
  return new Set(rows.map(({ id }) => id));
}

/** What is known of the owner's sessions, by id. */
export async function knownSessions(
  tx: Database,
  owner: number,
  ids: readonly string[],
): Promise<Map<string, ActivitySession>> {
  if (!ids.length) return new Map();
  const rows = await tx
    .select()
    .from(sessions)
    .where(sql`${sessions.owner} = ${owner} and ${isAmong(sessions.id, ids)}`);
  return new Map(rows.map(({ owner: _, ...session }) => [session.id, session]));
}
