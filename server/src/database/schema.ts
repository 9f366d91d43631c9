/**
 * The tables, the same on PGlite and PostgreSQL. Times are milliseconds since the epoch: exact, and without the ranges
 * and time zones of SQL's own, which a browser's wrong clock could leave. Tokens and keys are kept as hashes alone.
 */
import { sql } from "drizzle-orm";
import { bigint, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import type { ProfileKind } from "../../../src/protocol/api.js";
import type { WirePerson } from "../../../src/protocol/wire.js";
import type { PropertyType, WireProperties } from "../../../src/protocol/wire.js";

const time = (name: string) => bigint(name, { mode: "number" });
const profileKey = (name: string) => bigint(name, { mode: "number" });

export const apiKeys = pgTable("api_keys", {
  id: text("id").primaryKey(),
  hash: text("hash").notNull().unique(),
  scopes: text("scopes").array().notNull(),
  createdAt: time("created_at").notNull(),
  revokedAt: time("revoked_at"),
});

export const definitions = pgTable("definitions", {
  id: text("id").primaryKey(),
  title: text("title"),
  properties: jsonb("properties").$type<Record<string, PropertyType>>().notNull(),
});

/** A person's fields, as the timeline's owner shows them. Items of lists carry an id. */
export type PersonFields = WirePerson;

/** Visitors choose their ids, so an id alone names nobody: `key` does, inside the database. */
export const profiles = pgTable(
  "profiles",
  {
    key: profileKey("key").primaryKey().generatedAlwaysAsIdentity(),
    kind: text("kind").$type<ProfileKind>().notNull(),
    id: text("id").notNull(),
    fields: jsonb("fields").$type<PersonFields>().notNull().default({}),
    /**
     * Whom a JWT names, for authenticated users: its widget, `stp` and `sub`. Users from before the widget was kept have
     * none until they sign in again.
     */
    widget: text("widget"),
    subjectType: text("subject_type"),
    subject: text("subject"),
    createdAt: time("created_at").notNull(),
    lastActivityAt: time("last_activity_at").notNull(),
    /** A visitor's merge: into whom, and when by the corrected and by the browser's own clock. Never forgotten. */
    mergedInto: profileKey("merged_into"),
    mergedAt: time("merged_at"),
    mergedGivenAt: time("merged_given_at"),
    mergedClockOffsetMs: time("merged_clock_offset_ms"),
    /** Counts the changes of what the profile's batches are judged by: its ids and sessions, and what a merge gave to it. */
    revision: bigint("revision", { mode: "number" }).notNull().default(0),
  },
  (table) => [
    uniqueIndex("profiles_kind_id").on(table.kind, table.id),
    uniqueIndex("profiles_subject").on(table.widget, table.subjectType, table.subject),
    index("profiles_persons")
      .on(table.key)
      .where(sql`${table.kind} <> 'visitor'`),
    index("profiles_merged")
      .on(table.mergedInto)
      .where(sql`${table.mergedInto} is not null`),
    index("profiles_idle_visitors")
      .on(table.lastActivityAt)
      .where(sql`${table.kind} = 'visitor' and ${table.mergedInto} is null`),
  ],
);

export const registrations = pgTable(
  "registrations",
  {
    tokenHash: text("token_hash").primaryKey(),
    profile: profileKey("profile")
      .notNull()
      .references(() => profiles.key, { onDelete: "cascade" }),
    apiKey: text("api_key")
      .notNull()
      .references(() => apiKeys.id, { onDelete: "cascade" }),
    /** The Live Chat token that proved the person, as a hash. */
    liveChatTokenHash: text("live_chat_token_hash"),
    expiresAt: time("expires_at").notNull(),
  },
  (table) => [
    index("registrations_profile").on(table.profile),
    index("registrations_expiry").on(table.expiresAt),
  ],
);

export const liveChatSessions = pgTable(
  "live_chat_sessions",
  {
    id: text("id").primaryKey(),
    person: profileKey("person")
      .notNull()
      .references(() => profiles.key, { onDelete: "cascade" }),
    startedAt: time("started_at").notNull(),
    terminatedAt: time("terminated_at"),
  },
  (table) => [
    // Deleting a profile looks for its rows here, and in the tokens below, even where it has none.
    index("live_chat_sessions_person").on(table.person),
    index("live_chat_sessions_terminated")
      .on(table.terminatedAt)
      .where(sql`${table.terminatedAt} is not null`),
  ],
);

export const liveChatTokens = pgTable(
  "live_chat_tokens",
  {
    hash: text("hash").primaryKey(),
    session: text("session")
      .notNull()
      .references(() => liveChatSessions.id, { onDelete: "cascade" }),
    person: profileKey("person")
      .notNull()
      .references(() => profiles.key, { onDelete: "cascade" }),
    /** When its session went over from the lead to the authenticated user: the lead's part ended. */
    supersededAt: time("superseded_at"),
  },
  (table) => [
    index("live_chat_tokens_session").on(table.session),
    index("live_chat_tokens_person").on(table.person),
  ],
);

export const usedJwtIds = pgTable(
  "used_jwt_ids",
  {
    widget: text("widget").notNull(),
    jti: text("jti").notNull(),
    expiresAt: time("expires_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.widget, table.jti] }),
    index("used_jwt_ids_expiry").on(table.expiresAt),
  ],
);

const operationIdColumns = {
  owner: profileKey("owner").notNull(),
  id: text("id").notNull(),
};

/**
 * The ids of operations that were applied, apart from what they did, so that they can be forgotten cheaply. An id is
 * unique per owner: a person together with the visitors merged into it. Were it unique over all, any visitor could ask
 * whether an id exists, or take the ids of another browser so that its operations count as duplicates.
 *
 * The table is partitioned by receipt (id-partitions.ts), which its migration says and Drizzle cannot. A key of it would
 * have to contain the time of receipt, so that each partition has its own, (owner, id), and no constraint spans two of
 * them. What does is the owner's row: whoever adds ids holds its lock and has looked for them under it, or proves by the
 * owner's revision that nobody has added any since (apply-events.ts).
 */
export const operationIds = pgTable("operation_ids", {
  ...operationIdColumns,
  receivedAt: time("received_at").notNull(),
});

/** The ids that are not forgotten while their owner exists: see operation-ids.ts. */
export const keptOperationIds = pgTable("kept_operation_ids", operationIdColumns, (table) => [
  primaryKey({ columns: [table.owner, table.id] }),
]);

/** Timelines. `seq` is the order of acceptance; a merge gives a visitor's rows to the person. */
export const events = pgTable(
  "events",
  {
    seq: bigint("seq", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    owner: profileKey("owner").notNull(),
    /** Null where the service closed a session. */
    operationId: text("operation_id"),
    definitionId: text("definition_id").notNull(),
    sessionId: text("session_id").notNull(),
    /** Corrected for the browser's clock. */
    occurredAt: time("occurred_at").notNull(),
    givenAt: time("given_at").notNull(),
    receivedAt: time("received_at").notNull(),
    properties: jsonb("properties").$type<WireProperties>(),
    page: jsonb("page").$type<{ url: string; title: string }>(),
    closedBy: text("closed_by"),
  },
  (table) => [index("events_timeline").on(table.owner, table.occurredAt, table.seq)],
);

export const sessions = pgTable(
  "sessions",
  {
    owner: profileKey("owner").notNull(),
    id: text("id").notNull(),
    startedAt: time("started_at").notNull(),
    lastActivityAt: time("last_activity_at").notNull(),
    /** The browser's own end. */
    endedAt: time("ended_at"),
    /** The event by which the service closed it. */
    closingSeq: bigint("closing_seq", { mode: "number" }),
  },
  (table) => [
    primaryKey({ columns: [table.owner, table.id] }),
    index("sessions_activity").on(table.lastActivityAt),
    index("sessions_open")
      .on(table.lastActivityAt)
      .where(sql`${table.endedAt} is null and ${table.closingSeq} is null`),
  ],
);

export type ProfileRow = typeof profiles.$inferSelect;
