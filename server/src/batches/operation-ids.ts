/**
 * The deduplication of operations by their ids. Most ids are deleted 31 days after their receipt, and still no operation
 * is applied a second time, whatever the browser's clock shows by then:
 *
 * - The id of an event whose time needed no correction is deleted. If the event arrives again, it is too old, unless the
 *   clock was set back in between and the correction makes it look recent. Therefore an event whose own `occurredAt` is old
 *   is also looked up in the timeline, at that time.
 * - All other ids are kept: of events whose time was corrected, because the timeline has them at another time, and of
 *   operations that are no events, because the timeline does not have them.
 */
import { sql, type SQL } from "drizzle-orm";
import { LIMITS } from "../../../src/protocol/wire.js";
import type { Database } from "../database/database.js";
import { events, keptOperationIds, operationIds } from "../database/schema.js";
import { statement } from "../database/statement.js";
import { CLOCK_TOLERANCE_MS, type Moment } from "./operation-times.js";

/** The range of time in which the timeline is searched for duplicates, by the browser's clock; null if there is none. */
interface GivenTimes extends Record<string, unknown> {
  givenFrom: number | null;
  givenTo: number | null;
}

/** Returns the range of the events that are too old by the time that the browser gave. */
export function oldGivenTimes(moments: readonly Moment[], receivedAt: number): GivenTimes {
  let [from, to] = [Infinity, -Infinity];
  for (const { givenAt } of moments) {
    if (givenAt >= receivedAt - LIMITS.operationAgeMs) continue;
    from = Math.min(from, givenAt);
    to = Math.max(to, givenAt);
  }
  return from > to
    ? { givenFrom: null, givenTo: null }
    : { givenFrom: from - CLOCK_TOLERANCE_MS, givenTo: to + CLOCK_TOLERANCE_MS };
}

/** Whether an event is in the timeline at about the time that the browser gave. */
export const isAsGiven: SQL = sql`abs(occurred_at - given_at) <= ${sql.raw(String(CLOCK_TOLERANCE_MS))}`;

/**
 * Selects those of the ids `given` that an owner has. The lateral joins with `limit 1` force one index lookup for each id:
 * without them the planner reads all ids of an owner whom it believes to have few.
 */
const idsOf = (owner: SQL, given: SQL): SQL => sql`
  select applied.id from ${given} as given (id)
  cross join lateral (
    (select id from ${operationIds} where owner = ${owner} and id = given.id limit 1)
    union all
    (select id from ${keptOperationIds} where owner = ${owner} and id = given.id limit 1)
  ) as applied`;

const owner = sql`${sql.placeholder("owner")}::bigint`;
const ids = sql`string_to_array(${sql.placeholder("ids")}, ',')`;
/** The timeline is read once rather than for each id, because many events may have the same time. */
export const appliedIdsQuery: SQL = sql`
  ${idsOf(owner, sql`unnest(${ids})`)}
  union all (
    select operation_id from ${events}
    where owner = ${owner}
      and occurred_at between ${sql.placeholder("givenFrom")}::bigint and ${sql.placeholder("givenTo")}::bigint
    intersect select unnest(${ids})
  )`;

const selectApplied = statement<{ owner: number; ids: string } & GivenTimes, { id: string }>(
  "applied_ids",
  appliedIdsQuery,
);

/** Returns those of the ids that were applied before. */
export async function appliedIds(
  tx: Database,
  owner: number,
  ids: readonly string[],
  given: GivenTimes,
): Promise<Set<string>> {
  if (!ids.length) return new Set();
  const rows = await selectApplied(tx, { owner, ids: listOf(ids), ...given });
  return new Set(rows.map(({ id }) => id));
}

/** Joins ids with commas. Ids contain none, so nothing is escaped. */
export const listOf = (ids: readonly string[]): string => ids.join();

/** Selects the ids that a visitor and a person both have: two hosts may have sent one operation for each of them. */
export const sharedIds = (visitor: number, person: number): SQL =>
  idsOf(
    sql`${person}::bigint`,
    sql`(
      select id from ${operationIds} where owner = ${visitor}
      union all select id from ${keptOperationIds} where owner = ${visitor})`,
  );

/** Moves a visitor's ids to a person. Of shared ids, the person's stay. */
export async function moveIds(tx: Database, visitor: number, person: number): Promise<void> {
  const ofBoth = sharedIds(visitor, person);
  for (const table of [operationIds, keptOperationIds]) {
    await tx.execute(sql`delete from ${table} where owner = ${visitor} and id in (${ofBoth})`);
    await tx.execute(sql`update ${table} set owner = ${person} where owner = ${visitor}`);
  }
}
