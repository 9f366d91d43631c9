import { sql } from "drizzle-orm";
import type { EventOperation, OperationResult } from "../../../src/protocol/wire.js";
import type { Database } from "../database/database.js";
import { definitions, profiles, sessions } from "../database/schema.js";
import { statement } from "../database/statement.js";
import { withStandardEvents, type DefinitionRow } from "../definitions/definitions.js";
import type { Registration } from "../registrations/registrations.js";
import type { ActivitySession } from "./activity-session.js";
import { checkOperation, type CheckContext } from "./check-operation.js";
import { appliedIdsQuery, listOf, oldGivenTimes } from "./operation-ids.js";
import type { Moment } from "./operation-times.js";
import { addEvent, noChanges } from "./pending-changes.js";
import type { Party } from "./profile-locks.js";
import { writeIfUnchanged } from "./write-changes.js";

/** Reads in one snapshot what events are checked against. It returns JSON because both drivers parse its numbers alike. */
const selectContext = statement<
  {
    sender: number;
    owner: number;
    ids: string;
    givenFrom: number | null;
    givenTo: number | null;
    sessionIds: string;
    definitionIds: string;
  },
  {
    parties: (Party & { revision: number })[] | null;
    sessions: ActivitySession[] | null;
    definitions: DefinitionRow[] | null;
    applied: string[] | null;
  }
>(
  "events_context",
  sql`
    select (
      select json_agg(json_build_object(
        'key', key, 'kind', kind, 'revision', revision, 'mergedInto', merged_into, 'mergedAt', merged_at,
        'mergedGivenAt', merged_given_at, 'mergedClockOffsetMs', merged_clock_offset_ms))
      from ${profiles} where key in (${sql.placeholder("sender")}::bigint, ${sql.placeholder("owner")}::bigint)
    ) as parties, (
      select json_agg(json_build_object(
        'id', id, 'startedAt', started_at, 'lastActivityAt', last_activity_at, 'endedAt', ended_at,
        'closingSeq', closing_seq))
      from ${sessions} where owner = ${sql.placeholder("owner")}::bigint
        and id = any(string_to_array(${sql.placeholder("sessionIds")}, ','))
    ) as sessions, (
      select json_agg(json_build_object('id', id, 'title', title, 'properties', properties))
      from ${definitions} where id = any(string_to_array(${sql.placeholder("definitionIds")}, ','))
    ) as definitions, (
      select json_agg(id) from (${appliedIdsQuery}) as applied
    ) as applied`,
);

/**
 * Applies a batch that holds only events, without a transaction around it. This is optimistic concurrency: the events are
 * checked against what was read, and one statement writes them only if the owner's revision is still the same. That also
 * proves that the ids are new, because every batch that adds ids increments the revision.
 *
 * @returns null, with nothing written, if the batch must be applied in a transaction
 */
export async function applyEvents(
  db: Database,
  registration: Registration,
  events: readonly EventOperation[],
  receivedAt: number,
  momentOf: (givenAt: number) => Moment,
): Promise<OperationResult[] | null> {
  const ownerKey = registration.mergedInto ?? registration.key;
  const moments = events.map(({ occurredAt }) => momentOf(Date.parse(occurredAt)));
  const [context] = await selectContext(db, {
    sender: registration.key,
    owner: ownerKey,
    ids: listOf(events.map(({ id }) => id)),
    ...oldGivenTimes(moments, receivedAt),
    sessionIds: listOf([...new Set(events.map(({ sessionId }) => sessionId))]),
    definitionIds: listOf([...new Set(events.map(({ definitionId }) => definitionId))]),
  });
  const sender = context?.parties?.find(({ key }) => key === registration.key);
  const owner = context?.parties?.find(({ key }) => key === ownerKey);
  if (!sender || !owner || sender.mergedInto !== registration.mergedInto) return null;

  const checkContext: CheckContext = {
    registration,
    parties: { sender, owner, visitors: new Map(), newVisitors: new Set() },
    receivedAt,
    definitions: withStandardEvents(context?.definitions ?? []),
    tokens: new Map(),
  };
  const known = new Map(context?.sessions?.map((session) => [session.id, session]));
  const pending = noChanges();
  const applied = new Set(context?.applied);
  const results = events.map((event, index): OperationResult => {
    const { id, sessionId } = event;
    if (applied.has(id)) return { id, status: "duplicate" };
    const moment = moments[index]!;
    const error = checkOperation(event, moment, known.get(sessionId), checkContext);
    if (error) return { id, status: "rejected", error };
    applied.add(id);
    addEvent(pending, event, moment, known);
    return { id, status: "accepted" };
  });
  if (!pending.events.length) return results;
  if (pending.withdrawn.length) return null;
  return (await writeIfUnchanged(db, owner, receivedAt, pending)) ? results : null;
}
