import { randomUUID } from "node:crypto";
import { eq, sql } from "drizzle-orm";
import { TRACKING_SCOPE } from "../../../src/protocol/wire.js";
import type { Database } from "../database/database.js";
import { apiKeys } from "../database/schema.js";
import { hashSecret, isSameHash, newSecret } from "./secrets.js";

/** Reads persons and their timelines. */
export const READ_SCOPE = "people:read";
/** Writes the definitions of custom events. */
export const MANAGE_SCOPE = "people:manage";
/** The scopes that a key can have. */
const SCOPES: readonly string[] = [TRACKING_SCOPE, READ_SCOPE, MANAGE_SCOPE];

export interface ApiKey {
  id: string;
  scopes: string[];
  /** ISO 8601. */
  createdAt: string;
  revokedAt: string | null;
}

/** Creates and finds API keys. Only their hashes are stored: the key itself is returned once, by `create`. */
export interface ApiKeys {
  /**
   * `key` sets the key itself, for demos and tests; it is random otherwise. Creating the same key again replaces its scopes.
   *
   * @throws an Error that lists the scopes if one is unknown or none is given
   */
  create(options: { scopes: readonly string[]; key?: string }): Promise<{ id: string; key: string }>;
  /** Revokes a key, given by its id or by the key itself, with all its registrations. Returns whether it exists. */
  revoke(idOrKey: string): Promise<boolean>;
  /** Undoes `revoke`: its registrations are valid again. */
  restore(idOrKey: string): Promise<boolean>;
  list(): Promise<ApiKey[]>;
  /** The key's id and scopes, or null if it is unknown or revoked. */
  find(key: string): Promise<{ id: string; scopes: string[] } | null>;
}

export function openApiKeys(db: Database, clock: () => number): ApiKeys {
  /** Compares hashes even for ids, because the argument may be a key and the database may log its statements. */
  const byIdOrKey = async (idOrKey: string, revokedAt: number | null): Promise<boolean> => {
    const hash = hashSecret(idOrKey);
    const changed = await db
      .update(apiKeys)
      .set({ revokedAt })
      .where(
        sql`${apiKeys.hash} = ${hash} or encode(sha256(convert_to(${apiKeys.id}, 'UTF8')), 'hex') = ${hash}`,
      )
      .returning({ id: apiKeys.id });
    return changed.length > 0;
  };
  return {
    async create({ scopes, key = newSecret() }) {
      const unknown = scopes.filter((scope) => !SCOPES.includes(scope));
      if (unknown.length || !scopes.length)
        throw new Error(
          `${unknown.length ? `There is no scope ${unknown.join(", ")}` : "A key needs a scope"}: choose among ${SCOPES.join(", ")}.`,
        );
      const [row] = await db
        .insert(apiKeys)
        .values({ id: randomUUID(), hash: hashSecret(key), scopes: [...scopes], createdAt: clock() })
        .onConflictDoUpdate({ target: apiKeys.hash, set: { scopes: [...scopes], revokedAt: null } })
        .returning({ id: apiKeys.id });
      return { id: row!.id, key };
    },
    revoke: (idOrKey) => byIdOrKey(idOrKey, clock()),
    restore: (idOrKey) => byIdOrKey(idOrKey, null),
    async list() {
      const rows = await db.select().from(apiKeys).orderBy(apiKeys.createdAt, apiKeys.id);
      return rows.map(({ id, scopes, createdAt, revokedAt }) => ({
        id,
        scopes,
        createdAt: new Date(createdAt).toISOString(),
        revokedAt: revokedAt === null ? null : new Date(revokedAt).toISOString(),
      }));
    },
    async find(key) {
      const hash = hashSecret(key);
      const [row] = await db.select().from(apiKeys).where(eq(apiKeys.hash, hash));
      // The index compares hashes, whose timing reveals nothing about the key; this comparison takes constant time.
      if (!row || !isSameHash(row.hash, hash) || row.revokedAt !== null) return null;
      return { id: row.id, scopes: row.scopes };
    },
  };
}
