import { sql } from "drizzle-orm";
import type { Database } from "../database/database.js";
import { events, profiles, sessions } from "../database/schema.js";
import { joinSessions } from "./activity-session.js";
import { sharedIds, moveIds } from "./operation-ids.js";
import { findSessions, writeSessions } from "./session-rows.js";
import { deleteEvents } from "./write-changes.js";

/**
 * Moves a visitor's activity to a person. The rows themselves change owner, so that a timeline is read from one index
 * whatever was merged into it. An operation that was sent for both is kept once: two hosts may each have sent it.
 */
export async function moveActivity(tx: Database, visitor: number, person: number): Promise<void> {
  await moveSessions(tx, visitor, person);
  await tx.execute(sql`
    delete from ${events} where owner = ${visitor} and operation_id in (${sharedIds(visitor, person)})`);
  await moveIds(tx, visitor, person);
  await tx
    .update(events)
    .set({ owner: person })
    .where(sql`${events.owner} = ${visitor}`);
  await tx
    .update(profiles)
    .set({
      lastActivityAt: sql`greatest(${profiles.lastActivityAt}, (select max(occurred_at) from ${events} where owner = ${person}))`,
    })
    .where(sql`${profiles.key} = ${person}`);
}

async function moveSessions(tx: Database, visitor: number, person: number): Promise<void> {
  const moved = await tx
    .delete(sessions)
    .where(sql`${sessions.owner} = ${visitor}`)
    .returning();
  if (!moved.length) return;
  const theirs = await findSessions(
    tx,
    person,
    moved.map(({ id }) => id),
  );
  const withdrawn: number[] = [];
  const joined = moved.map((session) => {
    const other = theirs.get(session.id);
    if (!other) return session;
    for (const { closingSeq } of [session, other]) if (closingSeq !== null) withdrawn.push(closingSeq);
    return joinSessions(session, other);
  });
  await deleteEvents(tx, withdrawn);
  await writeSessions(tx, person, joined);
}
