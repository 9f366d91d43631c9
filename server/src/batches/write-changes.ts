import { sql } from "drizzle-orm";
import type { Database } from "../database/database.js";
import { events, keptOperationIds, operationIds, profiles } from "../database/schema.js";
import { statement } from "../database/statement.js";
import { isAsGiven, listOf } from "./operation-ids.js";
import type { PendingChanges } from "./pending-changes.js";
import { sessionsJson, upsertSessionsOf } from "./session-rows.js";

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
      ${upsertSessionsOf(sql`unchanged`, sql.placeholder("sessions"))}
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
    sessions: sessionsJson([...pending.sessions.values()]),
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
