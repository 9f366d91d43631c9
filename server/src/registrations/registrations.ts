import { eq, sql } from "drizzle-orm";
import type { Profile, ProfileKind } from "../../../src/protocol/api.js";
import type { RegistrationAnswer, RegistrationRequest } from "../../../src/protocol/wire.js";
import { DAY } from "../../../src/protocol/wire.js";
import { hashSecret, newSecret } from "../credentials/secrets.js";
import type { Database } from "../database/database.js";
import { apiKeys, liveChatSessions, liveChatTokens, profiles, registrations } from "../database/schema.js";
import type { Definitions } from "../definitions/definitions.js";
import { Problem } from "../http/problem.js";
import type { RateLimit } from "../http/rate-limit.js";

/** A browser that was offline learns late that its Live Chat session ended: it may register for this long after the end. */
const REGISTER_AFTER_LIVE_CHAT_MS = 30 * DAY;

/** A browser's right to write to one profile. */
export interface Registration {
  /** The profile's key. */
  key: number;
  kind: ProfileKind;
  /** The person that a visitor was merged into, at the time of reading. */
  mergedInto: number | null;
  /** When the Live Chat session that proved the right ended, or the lead's part of that session. */
  liveChatEndedAt: number | null;
}

export interface Registrations {
  /** Registers a browser. `limit` is called with the profile's key after the right to it is proven. */
  create(apiKeyId: string, request: RegistrationRequest, limit: RateLimit): Promise<RegistrationAnswer>;
  /** Returns the registration of a valid token; throws a 401 otherwise. */
  find(token: string | null): Promise<Registration>;
}

/** When a Live Chat token's right ended: at the end of its session, or when the lead signed in. */
const liveChatEnd = sql<
  string | number | null
>`least(${liveChatSessions.terminatedAt}, ${liveChatTokens.supersededAt})`;
const toTime = (value: string | number | null): number | null => (value === null ? null : Number(value));

export function openRegistrations(
  db: Database,
  clock: () => number,
  definitions: Definitions,
  lifetimeMs: number,
): Registrations {
  /** Executed for every batch. */
  const registrationOf = db
    .select({
      key: profiles.key,
      kind: profiles.kind,
      mergedInto: profiles.mergedInto,
      expiresAt: registrations.expiresAt,
      revokedAt: apiKeys.revokedAt,
      endedAt: liveChatEnd,
    })
    .from(registrations)
    .innerJoin(apiKeys, eq(apiKeys.id, registrations.apiKey))
    .innerJoin(profiles, eq(profiles.key, registrations.profile))
    .leftJoin(liveChatTokens, eq(liveChatTokens.hash, registrations.liveChatTokenHash))
    .leftJoin(liveChatSessions, eq(liveChatSessions.id, liveChatTokens.session))
    .where(eq(registrations.tokenHash, sql.placeholder("tokenHash")))
    .prepare("registration_of");

  /** Finds or creates the profile of a visitor. */
  const visitorKey = async (id: string): Promise<number> => {
    const known = await db
      .select({ key: profiles.key })
      .from(profiles)
      .where(sql`${profiles.kind} = 'visitor' and ${profiles.id} = ${id}`);
    if (known[0]) return known[0].key;
    const now = clock();
    const [made] = await db
      .insert(profiles)
      .values({ kind: "visitor", id, createdAt: now, lastActivityAt: now })
      .onConflictDoUpdate({ target: [profiles.kind, profiles.id], set: { id } })
      .returning({ key: profiles.key });
    return made!.key;
  };

  /** Finds the profile of a person, if the Live Chat token belongs to that person. */
  const personKey = async (profile: Profile, token: string | undefined): Promise<number> => {
    const [row] = await db
      .select({ key: profiles.key, kind: profiles.kind, id: profiles.id, endedAt: liveChatEnd })
      .from(liveChatTokens)
      .innerJoin(profiles, eq(profiles.key, liveChatTokens.person))
      .innerJoin(liveChatSessions, eq(liveChatSessions.id, liveChatTokens.session))
      .where(eq(liveChatTokens.hash, hashSecret(token ?? "")));
    if (!row || row.kind !== profile.kind || row.id !== profile.id)
      throw new Problem(4032, "the Live Chat token does not belong to that person");
    const endedAt = toTime(row.endedAt);
    if (endedAt !== null && clock() > endedAt + REGISTER_AFTER_LIVE_CHAT_MS)
      throw new Problem(4032, "the Live Chat session ended too long ago");
    return row.key;
  };

  return {
    async create(apiKeyId, { profile, liveChatToken }, limit) {
      const profileKey =
        profile.kind === "visitor"
          ? await visitorKey(profile.id.toLowerCase())
          : await personKey(profile, liveChatToken);
      await limit(profileKey);
      const token = newSecret();
      const expiresAt = clock() + lifetimeMs;
      await db.insert(registrations).values({
        tokenHash: hashSecret(token),
        profile: profileKey,
        apiKey: apiKeyId,
        liveChatTokenHash: profile.kind === "visitor" ? null : hashSecret(liveChatToken ?? ""),
        expiresAt,
      });
      return {
        token,
        expiresAt: new Date(expiresAt).toISOString(),
        expiresInMs: lifetimeMs,
        definitionsVersion: (await definitions.list()).version,
      };
    },

    async find(token) {
      const [row] = token ? await registrationOf.execute({ tokenHash: hashSecret(token) }) : [];
      if (!row || row.expiresAt <= clock() || row.revokedAt !== null)
        throw new Problem(4010, "the registration is not known, has expired or was withdrawn", {
          "WWW-Authenticate": "Bearer",
        });
      const { key, kind, mergedInto } = row;
      return { key, kind, mergedInto, liveChatEndedAt: toTime(row.endedAt) };
    },
  };
}
