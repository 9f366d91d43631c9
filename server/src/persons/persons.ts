import { and, asc, desc, eq, gt, sql } from "drizzle-orm";
import type { WireProperties } from "../../../src/protocol/wire.js";
import type { Database } from "../database/database.js";
import { events, profiles, type PersonFields, type ProfileRow } from "../database/schema.js";
import { bytesOf, countWithinPage } from "./page-bytes.js";

/** A lead or an authenticated user, with its fields. */
export type Person = PersonFields & {
  id: string;
  kind: "lead" | "authenticated";
  createdAt: string;
  lastActivityAt: string;
};

export interface TimelineEntry {
  /** The `after` of a request for the entries that follow this one. */
  cursor: string;
  type: "event";
  /** The operation's id; absent if the service closed a session. */
  id?: string;
  definitionId: string;
  sessionId: string;
  /** The time corrected for the browser's clock. */
  occurredAt: string;
  givenAt: string;
  receivedAt: string;
  properties?: WireProperties;
  page?: { url: string; title: string };
  closedBy?: "service";
}

export interface Persons {
  /** Lists persons in the order of their creation. */
  list(limit: number, after?: string): Promise<{ persons: Person[]; next: string | null }>;
  find(id: string): Promise<Person | null>;
  /**
   * Reads a page of a timeline by corrected time, ties in the order of acceptance. `after` is the cursor of an entry, read
   * in either order. Returns null if there is no such person.
   */
  timeline(
    id: string,
    order: TimelineOrder,
    limit: number,
    after?: string,
  ): Promise<{ entries: TimelineEntry[]; next: string | null } | null>;
}

export const TIMELINE_ORDERS = ["oldest", "newest"] as const;
/** Which entries come first. */
export type TimelineOrder = (typeof TIMELINE_ORDERS)[number];

/** A cursor: a time and a `seq`, each small enough to be exact in both JavaScript and PostgreSQL. */
export const CURSOR = /^(\d{1,15})-(\d{1,15})$/;
const readCursor = (text: string): [number, number] => {
  const [, time = "0", seq = "0"] = CURSOR.exec(text) ?? [];
  return [Number(time), Number(seq)];
};

export function openPersons(db: Database): Persons {
  // A visitor cannot be read. This condition must match that of the partial index.
  const isPerson = sql`${profiles.kind} <> 'visitor'`;
  const findRow = async (id: string): Promise<ProfileRow | undefined> =>
    (
      await db
        .select()
        .from(profiles)
        .where(and(sql`${profiles.kind} in ('lead', 'authenticated')`, eq(profiles.id, id)))
    )[0];
  return {
    async list(limit, after) {
      const [, afterKey] = readCursor(after ?? "");
      const isListed = and(isPerson, gt(profiles.key, afterKey));
      const sizes = await db
        .select({ bytes: bytesOf(profiles.fields) })
        .from(profiles)
        .where(isListed)
        .orderBy(asc(profiles.key))
        .limit(limit);
      const count = countWithinPage(sizes);
      const rows = await db.select().from(profiles).where(isListed).orderBy(asc(profiles.key)).limit(count);
      const isLast = sizes.length < limit && count === sizes.length;
      return { persons: rows.map(toPerson), next: isLast || !rows.length ? null : `0-${rows.at(-1)!.key}` };
    },
    async find(id) {
      const row = await findRow(id);
      return row ? toPerson(row) : null;
    },
    async timeline(id, order, limit, after) {
      const person = await findRow(id);
      if (!person) return null;
      const [time, seq] = readCursor(after ?? "");
      const { direction, follows } = READING[order];
      const isListed = and(
        eq(events.owner, person.key),
        after
          ? sql`(${events.occurredAt}, ${events.seq}) ${follows} (${time}::bigint, ${seq}::bigint)`
          : undefined,
      );
      const inOrder = [direction(events.occurredAt), direction(events.seq)];
      const sizes = await db
        .select({ bytes: bytesOf(events.properties, events.page) })
        .from(events)
        .where(isListed)
        .orderBy(...inOrder)
        .limit(limit);
      const count = countWithinPage(sizes);
      const rows = await db
        .select()
        .from(events)
        .where(isListed)
        .orderBy(...inOrder)
        .limit(count);
      const entries = rows.map(toEntry);
      const isLast = sizes.length < limit && count === sizes.length;
      return { entries, next: isLast ? null : (entries.at(-1)?.cursor ?? null) };
    },
  };
}

/** Both orders read the same index, forwards or backwards. */
const READING = {
  oldest: { direction: asc, follows: sql`>` },
  newest: { direction: desc, follows: sql`<` },
} as const satisfies Record<TimelineOrder, object>;

const iso = (time: number): string => new Date(time).toISOString();

const toPerson = ({ fields, id, kind, createdAt, lastActivityAt }: ProfileRow): Person => ({
  ...fields,
  id,
  kind: kind as Person["kind"],
  createdAt: iso(createdAt),
  lastActivityAt: iso(lastActivityAt),
});

const toEntry = (row: typeof events.$inferSelect): TimelineEntry => ({
  cursor: `${row.occurredAt}-${row.seq}`,
  type: "event",
  ...(row.operationId !== null && { id: row.operationId }),
  definitionId: row.definitionId,
  sessionId: row.sessionId,
  occurredAt: iso(row.occurredAt),
  givenAt: iso(row.givenAt),
  receivedAt: iso(row.receivedAt),
  ...(row.properties && { properties: row.properties }),
  ...(row.page && { page: row.page }),
  ...(row.closedBy && { closedBy: "service" as const }),
});
