import { eq, inArray, or, sql } from "drizzle-orm";
import { isAmong, type Database } from "./database.js";
import { Problem } from "./problem.js";
import type { Registration } from "./registrations.js";
import { profiles, type ProfileRow } from "./schema.js";

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
  /** Those of the visitors to be merged that the service knows, by id. */
  visitors: ReadonlyMap<string, Party>;
}

/** Until its transaction ends. */
export interface LockedProfiles extends Parties {
  owner: ProfileRow;
  visitors: Map<string, ProfileRow>;
}

/**
 * Batches of one person and of the visitors merged into it go one after the other; others side by side. Rows are locked
 * in the order of their keys, so that two batches never wait for each other.
 */
export async function lockProfiles(
  tx: Database,
  registration: Registration,
  visitorIds: readonly string[],
): Promise<LockedProfiles> {
  let { mergedInto } = registration;
  for (;;) {
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
    if (sender.mergedInto === mergedInto) {
      const owner = rows.find(({ key }) => key === (mergedInto ?? sender.key))!;
      return {
        sender,
        owner,
        visitors: new Map(rows.filter(({ kind }) => kind === "visitor").map((row) => [row.id, row])),
      };
    }
    // Merged since it was read.
    mergedInto = sender.mergedInto;
  }
}

/** The profile of a visitor that nobody has heard of, locked. Another batch may have made it a moment ago. */
export async function makeVisitor(tx: Database, id: string, now: number): Promise<ProfileRow> {
  const [row] = await tx
    .insert(profiles)
    .values({ kind: "visitor", id, createdAt: now, lastActivityAt: now })
    .onConflictDoUpdate({ target: [profiles.kind, profiles.id], set: { id } })
    .returning();
  return row!;
}

export const markMerged = (
  tx: Database,
  visitor: ProfileRow,
  merge: Pick<ProfileRow, "mergedInto" | "mergedAt" | "mergedGivenAt" | "mergedClockOffsetMs">,
) => tx.update(profiles).set(merge).where(eq(profiles.key, visitor.key));
