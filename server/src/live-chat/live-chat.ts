import { randomUUID } from "node:crypto";
import { eq, sql } from "drizzle-orm";
import { hashSecret, newSecret } from "../credentials/secrets.js";
import type { Database } from "../database/database.js";
import { liveChatSessions, liveChatTokens, profiles } from "../database/schema.js";
import { Problem } from "../http/problem.js";
import { redeemJwt, type Subject, type Widget } from "./widget-jwt.js";

export interface LiveChatAnswer {
  sessionId: string;
  token: string;
  person: { kind: "lead" | "authenticated"; id: string };
}

export interface LiveChat {
  /** Starts a chat for a new lead. */
  start(): Promise<LiveChatAnswer>;
  /** Signs a user in with a JWT of a widget, in the given session if that is possible. */
  authenticate(jwt: string, sessionId?: string): Promise<LiveChatAnswer>;
  /** Returns the session of a token; throws a 401 if it was terminated. */
  current(token: string | null): Promise<Omit<LiveChatAnswer, "token">>;
  terminate(token: string | null): Promise<void>;
}

const refused = () =>
  new Problem(4010, "the Live Chat token is not known or its session was terminated", {
    "WWW-Authenticate": "Bearer",
  });

const newToken = async (tx: Database, session: string, person: number): Promise<string> => {
  const token = newSecret();
  await tx.insert(liveChatTokens).values({ hash: hashSecret(token), session, person });
  return token;
};

export function openLiveChat(
  db: Database,
  clock: () => number,
  widgets: ReadonlyMap<string, Widget>,
): LiveChat {
  const newSession = async (tx: Database, person: number): Promise<string> => {
    // Random, because knowing a session's id is the right to sign in to it.
    const id = randomUUID();
    await tx.insert(liveChatSessions).values({ id, person, startedAt: clock() });
    return id;
  };
  /** Finds or creates the person of a JWT. The same subject under two widgets is two persons. */
  const authenticatedPerson = async (tx: Database, { widget, type, value }: Subject) => {
    // A person from before widgets were stored belongs to the first widget that signs the user in again.
    const [known] = await tx
      .update(profiles)
      .set({ widget })
      .where(
        sql`${profiles.widget} is null and ${profiles.subjectType} = ${type} and ${profiles.subject} = ${value}`,
      )
      .returning({ key: profiles.key, id: profiles.id });
    if (known) return known;
    const now = clock();
    const [row] = await tx
      .insert(profiles)
      .values({
        kind: "authenticated",
        id: randomUUID(),
        widget,
        subjectType: type,
        subject: value,
        createdAt: now,
        lastActivityAt: now,
      })
      .onConflictDoUpdate({
        target: [profiles.widget, profiles.subjectType, profiles.subject],
        set: { subject: value },
      })
      .returning({ key: profiles.key, id: profiles.id });
    return row!;
  };

  /**
   * Chooses the session of a sign-in. A lead's session becomes the user's, and the same user's session continues. Another
   * user's session is terminated and a new one starts. A terminated or unknown id is never used again; a new session starts.
   */
  const sessionFor = async (tx: Database, sessionId: string | undefined, person: number): Promise<string> => {
    const [known] = sessionId
      ? await tx
          .select({ person: profiles.key, kind: profiles.kind, terminatedAt: liveChatSessions.terminatedAt })
          .from(liveChatSessions)
          .innerJoin(profiles, eq(profiles.key, liveChatSessions.person))
          .where(eq(liveChatSessions.id, sessionId))
          .for("update", { of: liveChatSessions })
      : [];
    if (!sessionId || !known || known.terminatedAt !== null) return newSession(tx, person);
    if (known.person === person) return sessionId;
    const inSession = eq(liveChatSessions.id, sessionId);
    if (known.kind !== "lead") {
      await tx.update(liveChatSessions).set({ terminatedAt: clock() }).where(inSession);
      return newSession(tx, person);
    }
    await tx.update(liveChatSessions).set({ person }).where(inSession);
    await tx
      .update(liveChatTokens)
      .set({ supersededAt: clock() })
      .where(eq(liveChatTokens.session, sessionId));
    return sessionId;
  };

  const find = async (token: string | null) => {
    const [row] = token
      ? await db
          .select({
            sessionId: liveChatSessions.id,
            terminatedAt: liveChatSessions.terminatedAt,
            kind: sql<"lead" | "authenticated">`${profiles.kind}`,
            id: profiles.id,
          })
          .from(liveChatTokens)
          .innerJoin(liveChatSessions, eq(liveChatSessions.id, liveChatTokens.session))
          .innerJoin(profiles, eq(profiles.key, liveChatSessions.person))
          .where(eq(liveChatTokens.hash, hashSecret(token)))
      : [];
    if (!row) throw refused();
    return row;
  };

  return {
    start: () =>
      db.transaction(async (tx) => {
        const now = clock();
        const id = randomUUID();
        const [row] = await tx
          .insert(profiles)
          .values({ kind: "lead", id, createdAt: now, lastActivityAt: now })
          .returning({ key: profiles.key });
        const sessionId = await newSession(tx, row!.key);
        const token = await newToken(tx, sessionId, row!.key);
        return { sessionId, token, person: { kind: "lead", id } };
      }),
    authenticate: (jwt, sessionId) =>
      db.transaction(async (tx) => {
        const person = await authenticatedPerson(tx, await redeemJwt(tx, widgets, jwt, clock()));
        const session = await sessionFor(tx, sessionId, person.key);
        const token = await newToken(tx, session, person.key);
        return { sessionId: session, token, person: { kind: "authenticated", id: person.id } };
      }),
    async current(token) {
      const { sessionId, terminatedAt, kind, id } = await find(token);
      if (terminatedAt !== null) throw refused();
      return { sessionId, person: { kind, id } };
    },
    async terminate(token) {
      const { sessionId } = await find(token);
      // Idempotent, because the first response may have been lost: the time of the end does not change.
      await db
        .update(liveChatSessions)
        .set({ terminatedAt: clock() })
        .where(sql`${liveChatSessions.id} = ${sessionId} and ${liveChatSessions.terminatedAt} is null`);
    },
  };
}
