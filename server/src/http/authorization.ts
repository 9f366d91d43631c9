import type { Context } from "hono";
import { TRACKING_SCOPE } from "../../../src/protocol/wire.js";
import type { ApiKeys } from "../credentials/api-keys.js";
import { hashSecret } from "../credentials/secrets.js";
import type { AddressOf } from "./client-address.js";
import { Problem } from "./problem.js";
import { limitFailures } from "./rate-limit.js";
import { RecentSet } from "./recent-set.js";

type Scheme = "App" | "Bearer";

/** The credential after the scheme in a request's `Authorization`, or null. */
const credential = (request: Request, scheme: Scheme): string | null => {
  const [given, value, ...rest] = (request.headers.get("authorization") ?? "").trim().split(/ +/);
  return given?.toLowerCase() === scheme.toLowerCase() && value && !rest.length ? value : null;
};

/** Whether a request carries a credential of this scheme, valid or not. */
export const isSentWith = (request: Request, scheme: Scheme): boolean => credential(request, scheme) !== null;

/** How many valid credentials are remembered: those of an hour of a busy site, in a few megabytes. */
const REMEMBERED_CREDENTIALS = 10_000;

/**
 * Authenticates a request. Every protected route calls this first, before it receives the body, so that a request without a
 * valid credential costs one indexed lookup at most, and those lookups are rate-limited.
 */
export type Authenticate = <Found>(
  c: Context,
  scheme: Scheme,
  /** Throws a 401 if the credential is invalid. */
  lookUp: (credential: string | null) => Promise<Found>,
) => Promise<Found>;

const isRefusal = (error: unknown): boolean => error instanceof Problem && error.status === 401;

/**
 * Limits the failed authentications of each address. Recently valid credentials are exempt, so that an office behind one
 * address keeps working while somebody in it guesses keys.
 */
export function createAuthenticator(failuresPerMinute: number, addressOf: AddressOf): Authenticate {
  const limit = limitFailures(failuresPerMinute, isRefusal);
  const good = new RecentSet(REMEMBERED_CREDENTIALS);
  return async (c, scheme, lookUp) => {
    const given = credential(c.req.raw, scheme);
    const address = addressOf(c);
    // Without a credential there is nothing to look up.
    if (given === null || address === undefined) return lookUp(given);
    const hash = hashSecret(given);
    if (!good.has(hash)) {
      const found = await limit(address, () => lookUp(given));
      good.add(hash);
      return found;
    }
    try {
      return await lookUp(given);
    } catch (error) {
      if (isRefusal(error)) good.delete(hash);
      throw error;
    }
  };
}

/** Returns a lookup that accepts only known API keys. */
export const findKey = (keys: ApiKeys) => async (key: string | null) => {
  const found = key === null ? null : await keys.find(key);
  if (!found) throw new Problem(4010, "the API key is not known", { "WWW-Authenticate": "App" });
  return found;
};

/** Refuses an API key with more scopes than tracking, because everybody can read it in the page's source. */
export function requireTrackingScope(scopes: readonly string[]): void {
  if (scopes.length !== 1 || scopes[0] !== TRACKING_SCOPE)
    throw new Problem(4031, `the API key's only scope must be ${TRACKING_SCOPE}`);
}

export function requireScope(scopes: readonly string[], scope: string): void {
  if (!scopes.includes(scope)) throw new Problem(4033, `the API key needs the scope ${scope}`);
}
