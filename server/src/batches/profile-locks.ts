import { eq, inArray, or, sql } from "drizzle-orm";
import { isAmong, type Database } from "../database/database.js";
import { profiles, type ProfileRow } from "../database/schema.js";
import { Problem } from "../http/problem.js";
import type { Registration } from "../registrations/registrations.js";

export type Party = Pick<
  ProfileRow,
  "key" | "kind" | "mergedInto" | "mergedAt" | "mergedGivenAt" | "mergedClockOffsetMs"
>;

/** The profiles that a batch is about. */
export interface Parties {
  /** Whose registration it is. */
  sender: Party;
  /** Whose timeline it lands in: the sender, or the person that the sender was merged into. */
  owner: Party;
  /** The visitors to be merged, by id. */
  visitors: ReadonlyMap<string, Party>;
  /** Those of them that nobody had heard of, by key. */
  newVisitors: ReadonlySet<number>;
}

/** Until its transaction ends. */
export interface LockedProfiles extends Parties {
  owner: ProfileRow;
  visitors: Map<string, ProfileRow>;
}

/**
 * Batches of one person and of the visitors merged into it go one after the other; others side by side. Rows are locked
 * in the order of their keys, so that two batches never wait for each other. A visitor that nobody has heard of gets its
 * row before, for its row decides into whom it merges: of two persons that merge it at once, one waits for the other here.
 */
export async function lockProfiles(
  tx: Database,
  registration: Registration,
  visitorIds: readonly string[],
  now: number,
): Promise<LockedProfiles> {
  const newVisitors = new Set<number>();
  let { mergedInto } = registration;
  for (;;) {
    if (visitorIds.length) for (const key of await makeVisitors(tx, visitorIds, now)) newVisitors.add(key);
    const isParty = inArray(profiles.key, [registration.key, mergedInto ?? registration.key]);
    const isVisitor = sql`${profiles.kind} = 'visitor' and ${isAmong(profiles.id, visitorIds)}`;
    const rows = await tx
      .select()
      .from(profiles)
      .where(visitorIds.length ? or(isParty, isVisitor) : isParty)
      .orderBy(profiles.key)
      .for("update")
      .prepare(visitorIds.length ? "lock_parties_and_visitors" : "lock_parties")
      .execute();
    const sender = rows.find(({ key }) => key === registration.key);
    // Deleted since the registration was read: an idle visitor. Its browser registers anew.
    if (!sender) throw new Problem(4010, "the registration's profile is gone");
    const visitors = new Map(rows.filter(({ kind }) => kind === "visitor").map((row) => [row.id, row]));
    // An idle one may have been deleted right before it was locked.
    const isLocked = visitorIds.every((id) => visitors.has(id));
    if (isLocked && sender.mergedInto === mergedInto) {
      const owner = rows.find(({ key }) => key === (mergedInto ?? sender.key))!;
      return { sender, owner, visitors, newVisitors };
    }
    // Merged since it was read.
    mergedInto = sender.mergedInto;
  }
}

/**
 * Makes the profiles of visitors that nobody has heard of. One that another batch is making is waited for, so that all
 * make theirs in the same order.
 *
 * @returns their keys
 */
async function makeVisitors(tx: Database, ids: readonly string[], now: number): Promise<number[]> {
  const made = await tx
    .insert(profiles)
    .values(
      [...new Set(ids)]
        .toSorted()
        .map((id) => ({ kind: "visitor" as const, id, createdAt: now, lastActivityAt: now })),
    )
    .onConflictDoNothing()
    .returning({ key: profiles.key });
  return made.map(({ key }) => key);
}

/** Deletes the new visitors whose merges were rejected: nobody has heard of them still. */
export async function forgetVisitors(tx: Database, { visitors, newVisitors }: LockedProfiles): Promise<void> {
  const unmerged = [...visitors.values()].filter(
    ({ key, mergedInto }) => mergedInto === null && newVisitors.has(key),
  );
  if (unmerged.length)
    await tx.delete(profiles).where(
      inArray(
        profiles.key,
        unmerged.map(({ key }) => key),
      ),
    );
}

export const markMerged = (
  tx: Database,
  visitor: ProfileRow,
  merge: Pick<ProfileRow, "mergedInto" | "mergedAt" | "mergedGivenAt" | "mergedClockOffsetMs">,
) => tx.update(profiles).set(merge).where(eq(profiles.key, visitor.key));
