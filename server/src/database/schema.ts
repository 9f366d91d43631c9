/**
 * The tables, which are the same on PGlite and PostgreSQL. Times are milliseconds since the epoch, because a wrong browser
 * clock can exceed the ranges of SQL's own types. Tokens and keys are stored as hashes only.
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

/** The fields of a person. Items of lists have an id. */
export type PersonFields = WirePerson;

/** Visitors, leads and authenticated users. Visitors choose their ids, so only `key` is a trusted identity. */
export const profiles = pgTable(
  "profiles",
  {
    key: profileKey("key").primaryKey().generatedAlwaysAsIdentity(),
    kind: text("kind").$type<ProfileKind>().notNull(),
    id: text("id").notNull(),
    fields: jsonb("fields").$type<PersonFields>().notNull().default({}),
    /**
     * The widget, `stp` and `sub` of an authenticated user's JWT. Users from before the widget was stored have none until
     * they sign in again.
     */
    widget: text("widget"),
    subjectType: text("subject_type"),
    subject: text("subject"),
    createdAt: time("created_at").notNull(),
    lastActivityAt: time("last_activity_at").notNull(),
    /** A visitor's merge: the person, and the time by the corrected and by the browser's own clock. Never deleted. */
    mergedInto: profileKey("merged_into"),
    mergedAt: time("merged_at"),
    mergedGivenAt: time("merged_given_at"),
    mergedClockOffsetMs: time("merged_clock_offset_ms"),
    /** Incremented with each change of what batches are checked against: the profile's ids and sessions, merges included. */
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
    /** The hash of the Live Chat token that proved the right to the person. */
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
    // Deleting a profile searches for references here and in the tokens below.
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
    /** When the lead of its session signed in, which ended the lead's part of the session. */
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
 * The ids of applied operations, in a table of their own so that deleting them is cheap. An id is unique per owner: a person
 * together with the visitors merged into it. If ids were unique across owners, any visitor could find out whether an id
 * exists, or use the ids of another browser first so that its operations count as duplicates.
 *
 * The table is partitioned by the time of receipt (batches/id-partitions.ts). The migration declares that, because Drizzle
 * cannot. A primary key of the whole table would have to contain the time of receipt, so each partition has its own key,
 * (owner, id). Uniqueness across partitions comes from the owner's row: a writer either looks up the ids and adds them under
 * that row's lock, or proves by the owner's revision that no ids were added in between (batches/apply-events.ts).
 */
export const operationIds = pgTable("operation_ids", {
  ...operationIdColumns,
  receivedAt: time("received_at").notNull(),
});

/** The ids that are kept as long as their owner: see batches/operation-ids.ts. */
export const keptOperationIds = pgTable("kept_operation_ids", operationIdColumns, (table) => [
  primaryKey({ columns: [table.owner, table.id] }),
]);

/** The timelines. `seq` is the order of acceptance. A merge changes the owner of a visitor's rows to the person. */
export const events = pgTable(
  "events",
  {
    seq: bigint("seq", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    owner: profileKey("owner").notNull(),
    /** Null if the service itself added the event, to close a session. */
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
    /** When the browser ended it. */
    endedAt: time("ended_at"),
    /** The `seq` of the event with which the service closed it. */
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
