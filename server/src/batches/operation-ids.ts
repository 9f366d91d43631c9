/**
 * Which operations were applied before. Most ids are forgotten 31 days after their receipt, and yet the same operation is
 * never applied again, whatever the browser's clock says by then:
 *
 * - An event whose time was about right has an id that is forgotten. When it comes again it is too old, unless the clock
 *   was set back meanwhile and the correction makes it look young. So an event that is old by its own account is looked up
 *   in the timeline, where it stands at the time that it gives.
 * - All other ids are kept: those of events whose time was corrected, which stand elsewhere in the timeline, and those of
 *   operations that are no events and stand in no timeline.
 */
import { sql, type SQL } from "drizzle-orm";
import { LIMITS } from "../../../src/protocol/wire.js";
import type { Database } from "../database/database.js";
import { events, keptOperationIds, operationIds } from "../database/schema.js";
import { statement } from "../database/statement.js";
import { CLOCK_TOLERANCE_MS, type Moment } from "./operation-times.js";

/** The times between which the timeline is searched, as the events give them; null where it need not be. */
interface GivenTimes extends Record<string, unknown> {
  givenFrom: number | null;
  givenTo: number | null;
}

/** The times of the events that are old by their own account. */
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

/** Whether the time of an event is about what its browser gave. */
export const isAsGiven: SQL = sql`abs(occurred_at - given_at) <= ${sql.raw(String(CLOCK_TOLERANCE_MS))}`;

/**
 * Those of the ids `given` that an owner has. Each is looked up by itself, for which the limits are: left to choose, the
 * planner reads all that the owner has as soon as it takes that for little.
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
/** The timeline is read once, not for each id: many events may give the same time. */
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

/** Which of the ids were applied before. */
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

/** Ids hold no commas, so that a list of them needs no escapes. */
export const listOf = (ids: readonly string[]): string => ids.join();

/** Those of a visitor's ids that a person has too: two hosts may have sent one operation for each. */
export const idsOfBoth = (visitor: number, person: number): SQL =>
  idsOf(
    sql`${person}::bigint`,
    sql`(
      select id from ${operationIds} where owner = ${visitor}
      union all select id from ${keptOperationIds} where owner = ${visitor})`,
  );

/** Gives a visitor's ids to a person; of those that both have, the person's stay. */
export async function moveIds(tx: Database, visitor: number, person: number): Promise<void> {
  const ofBoth = idsOfBoth(visitor, person);
  for (const table of [operationIds, keptOperationIds]) {
    await tx.execute(sql`delete from ${table} where owner = ${visitor} and id in (${ofBoth})`);
    await tx.execute(sql`update ${table} set owner = ${person} where owner = ${visitor}`);
  }
}
