import { eq, inArray, or, sql } from "drizzle-orm";
import { isAmong, type Database } from "../database/database.js";
import { profiles, type ProfileRow } from "../database/schema.js";
import { Problem } from "../http/problem.js";
import type { Registration } from "../registrations/registrations.js";

export type Party = Pick<
  ProfileRow,
  "key" | "kind" | "mergedInto" | "mergedAt" | "mergedGivenAt" | "mergedClockOffsetMs"
>;

/** The profiles that a batch reads or changes. */
export interface Parties {
  /** The profile of the registration. */
  sender: Party;
  /** The profile whose timeline gets the events: the sender, or the person that the sender was merged into. */
  owner: Party;
  /** The visitors that the batch merges, by id. */
  visitors: ReadonlyMap<string, Party>;
  /** The keys of those visitors that were unknown until this batch. */
  newVisitors: ReadonlySet<number>;
}

/** The profiles of a batch, locked until its transaction ends. */
export interface LockedProfiles extends Parties {
  owner: ProfileRow;
  visitors: Map<string, ProfileRow>;
}

/**
 * Locks the profiles of a batch. Batches of one person and of the visitors merged into it are serialized; all others run
 * concurrently. Rows are locked in the order of their keys, so that two batches cannot deadlock. An unknown visitor gets
 * its row first, because that row decides into whom the visitor merges: of two persons that merge it concurrently, one
 * waits here for the other.
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
    // An idle visitor was deleted after the registration was read. Its browser registers again.
    if (!sender) throw new Problem(4010, "the registration's profile is gone");
    const visitors = new Map(rows.filter(({ kind }) => kind === "visitor").map((row) => [row.id, row]));
    // The sweep may have deleted an idle visitor right before it was locked.
    const isLocked = visitorIds.every((id) => visitors.has(id));
    if (isLocked && sender.mergedInto === mergedInto) {
      const owner = rows.find(({ key }) => key === (mergedInto ?? sender.key))!;
      return { sender, owner, visitors, newVisitors };
    }
    // The sender was merged after the registration was read.
    mergedInto = sender.mergedInto;
  }
}

/**
 * Creates the profiles of unknown visitors. If another batch is creating one of them, this waits for it; therefore all
 * batches create them in the same order.
 *
 * @returns the keys of the created profiles
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

/** Deletes the new visitors whose merges were rejected, so that they stay unknown. */
export async function deleteUnmergedVisitors(
  tx: Database,
  { visitors, newVisitors }: LockedProfiles,
): Promise<void> {
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
