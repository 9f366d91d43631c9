import { sql, type Placeholder, type SQL } from "drizzle-orm";
import type { EventOperation } from "../../../src/protocol/wire.js";
import type { Database } from "../database/database.js";
import { events, keptOperationIds, operationIds, profiles, sessions } from "../database/schema.js";
import { statement } from "../database/statement.js";
import { advanceSession, type ActivitySession } from "./activity-session.js";
import { isAsGiven, listOf } from "./operation-ids.js";
import type { Moment } from "./operation-times.js";
import { finishFields, type FieldsDraft } from "./person-fields.js";

/** The write set of a batch, collected so that it takes a few statements however many operations there are. */
export interface PendingChanges {
  events: { event: EventOperation; moment: Moment }[];
  /** The ids of operations that are no events. */
  otherIds: string[];
  /** By session id. */
  sessions: Map<string, ActivitySession>;
  /** The `seq`s of the service's own closings, which later events of the browser replace. */
  withdrawn: number[];
  lastActivityAt: number;
}

export const noChanges = (): PendingChanges => ({
  events: [],
  otherIds: [],
  sessions: new Map(),
  withdrawn: [],
  lastActivityAt: 0,
});

/** @param known the owner's sessions, updated with the event's */
export function addEvent(
  pending: PendingChanges,
  event: EventOperation,
  moment: Moment,
  known: Map<string, ActivitySession>,
): void {
  const { sessionId, definitionId } = event;
  const before = known.get(sessionId);
  if (before && before.closingSeq !== null) pending.withdrawn.push(before.closingSeq);
  const after = advanceSession(before, sessionId, definitionId, moment.at);
  known.set(sessionId, after);
  pending.sessions.set(sessionId, after);
  pending.events.push({ event, moment });
  pending.lastActivityAt = Math.max(pending.lastActivityAt, moment.at);
}

/** @param owners a table with the owner's `key`, or without a row */
function upsert(owners: SQL, rows: Placeholder): SQL {
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
  upsert(sql`(select ${sql.placeholder("owner")}::bigint as key)`, sql.placeholder("sessions")),
);

/**
 * Writes everything that a batch adds in one statement: the applied ids, the sessions, the profile's last activity, and the
 * events, which get their `seq` in the order given. If the owner has another revision or was merged in the meantime, it
 * writes nothing and returns no row. Rows are sent as one list for each column, which is a fifth smaller than objects that
 * repeat their keys, and stays far from the limit on parameters.
 */
const insertBatch = statement<
  {
    owner: number;
    revision: number | null;
    receivedAt: number;
    lastActivityAt: number;
    sessions: string;
    otherIds: string;
    ids: string;
    definitionIds: string;
    sessionIds: string;
    occurredAt: string;
    givenAt: string;
    properties: string;
    pages: string;
  },
  { key: unknown }
>(
  "insert_batch",
  sql`
    with unchanged as (
      update ${profiles} set revision = revision + 1,
        last_activity_at = greatest(last_activity_at, ${sql.placeholder("lastActivityAt")}::bigint)
      where key = ${sql.placeholder("owner")}::bigint and merged_into is null
        and revision = coalesce(${sql.placeholder("revision")}::bigint, revision)
      returning key
    ), moments as (
      select key, id, occurred_at, given_at
      from unchanged, rows from (
        unnest(string_to_array(${sql.placeholder("ids")}, ',')),
        unnest(${sql.placeholder("occurredAt")}::bigint[]),
        unnest(${sql.placeholder("givenAt")}::bigint[])
      ) as rows (id, occurred_at, given_at)
    ), applied as (
      insert into ${operationIds} (owner, id, received_at)
      select key, id, ${sql.placeholder("receivedAt")}::bigint from moments where ${isAsGiven}
    ), kept as (
      insert into ${keptOperationIds} (owner, id)
      select key, id from moments where not ${isAsGiven}
      union all
      select key, id from unchanged, unnest(string_to_array(${sql.placeholder("otherIds")}, ',')) as id
    ), upserted_sessions as (
      ${upsert(sql`unchanged`, sql.placeholder("sessions"))}
    ), added as (
      insert into ${events} (owner, received_at, operation_id, definition_id, session_id, occurred_at, given_at, properties, page)
      select key, ${sql.placeholder("receivedAt")}::bigint, id, definition_id, session_id,
        occurred_at, given_at, nullif(properties, 'null'), nullif(page, 'null')
      from unchanged, rows from (
        unnest(string_to_array(${sql.placeholder("ids")}, ',')),
        unnest(string_to_array(${sql.placeholder("definitionIds")}, ',')),
        unnest(string_to_array(${sql.placeholder("sessionIds")}, ',')),
        unnest(${sql.placeholder("occurredAt")}::bigint[]),
        unnest(${sql.placeholder("givenAt")}::bigint[]),
        jsonb_array_elements(${sql.placeholder("properties")}::jsonb),
        jsonb_array_elements(${sql.placeholder("pages")}::jsonb)
      ) as rows (id, definition_id, session_id, occurred_at, given_at, properties, page)
    )
    select key from unchanged`,
);

const arrayOf = (numbers: readonly number[]): string => `{${numbers.join()}}`;

/** @param tx a transaction that holds the lock on the owner */
export async function writeChanges(
  tx: Database,
  owner: number,
  receivedAt: number,
  pending: PendingChanges,
): Promise<void> {
  await deleteEvents(tx, pending.withdrawn);
  if (!pending.events.length && !pending.otherIds.length) return;
  await insertChanges(tx, { key: owner, revision: null }, receivedAt, pending);
}

/** @returns false, with nothing written, if the owner has changed since it was read */
export async function writeIfUnchanged(
  db: Database,
  owner: { key: number; revision: number },
  receivedAt: number,
  pending: PendingChanges,
): Promise<boolean> {
  return (await insertChanges(db, owner, receivedAt, pending)).length > 0;
}

const insertChanges = (
  db: Database,
  { key, revision }: { key: number; revision: number | null },
  receivedAt: number,
  pending: PendingChanges,
) => {
  const { events: added } = pending;
  return insertBatch(db, {
    owner: key,
    revision,
    receivedAt,
    lastActivityAt: pending.lastActivityAt,
    sessions: toJson([...pending.sessions.values()]),
    otherIds: listOf(pending.otherIds),
    ids: listOf(added.map(({ event }) => event.id)),
    definitionIds: listOf(added.map(({ event }) => event.definitionId)),
    sessionIds: listOf(added.map(({ event }) => event.sessionId)),
    occurredAt: arrayOf(added.map(({ moment }) => moment.at)),
    givenAt: arrayOf(added.map(({ moment }) => moment.givenAt)),
    properties: JSON.stringify(added.map(({ event }) => event.properties)),
    pages: JSON.stringify(added.map(({ event }) => event.page)),
  });
};

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
  await upsertSessions(tx, { owner, sessions: toJson(rows) });
}
const toJson = (rows: readonly ActivitySession[]): string => JSON.stringify(rows.map(toRow));
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
