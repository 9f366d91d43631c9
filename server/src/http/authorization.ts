import type { Context } from "hono";
import { TRACKING_SCOPE } from "../../../src/protocol/wire.js";
import type { ApiKeys } from "../credentials/api-keys.js";
import { hashSecret } from "../credentials/secrets.js";
import type { AddressOf } from "./client-address.js";
import { Problem } from "./problem.js";
import { limitFailures } from "./rate-limit.js";
import { RecentSet } from "./recent-set.js";

type Scheme = "App" | "Bearer";

/** What stands after the scheme in a request's `Authorization`, or null. */
const credential = (request: Request, scheme: Scheme): string | null => {
  const [given, value, ...rest] = (request.headers.get("authorization") ?? "").trim().split(/ +/);
  return given?.toLowerCase() === scheme.toLowerCase() && value && !rest.length ? value : null;
};

/** Credentials that are remembered as good: an hour's of a busy site, in a few megabytes. */
const REMEMBERED = 10_000;

/**
 * Looks up the credential of a request. It is called first on every route that needs one, before anything of the body is
 * received, so that whoever has none costs an indexed look-up at most, and only so many of them a minute.
 */
export type Authenticate = <Found>(
  c: Context,
  scheme: Scheme,
  /** Throws a 401 where the credential is not good. */
  lookUp: (credential: string | null) => Promise<Found>,
) => Promise<Found>;

const isRefusal = (error: unknown): boolean => error instanceof Problem && error.status === 401;

/**
 * Counts the failed authentications of each address. One that was good lately is looked up whatever the count says: an
 * office behind one address goes on while somebody in it guesses.
 */
export function createAuthenticator(failuresPerMinute: number, addressOf: AddressOf): Authenticate {
  const limit = limitFailures(failuresPerMinute, isRefusal);
  const good = new RecentSet(REMEMBERED);
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

/** Lets only a known API key pass. */
export const findKey = (keys: ApiKeys) => async (key: string | null) => {
  const found = key === null ? null : await keys.find(key);
  if (!found) throw new Problem(4010, "the API key is not known", { "WWW-Authenticate": "App" });
  return found;
};

/** An API key with more scopes than tracking is refused: everybody can read it in the page's source. */
export function requireTrackingScope(scopes: readonly string[]): void {
  if (scopes.length !== 1 || scopes[0] !== TRACKING_SCOPE)
    throw new Problem(4031, `the API key's only scope must be ${TRACKING_SCOPE}`);
}

export function requireScope(scopes: readonly string[], scope: string): void {
  if (!scopes.includes(scope)) throw new Problem(4033, `the API key needs the scope ${scope}`);
}
