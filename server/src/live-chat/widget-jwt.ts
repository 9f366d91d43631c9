import { decodeJwt, jwtVerify } from "jose";
import * as v from "valibot";
import { DAY } from "../../../src/protocol/wire.js";
import type { Database } from "../database/database.js";
import { usedJwtIds } from "../database/schema.js";
import { Problem } from "../http/problem.js";

/** A Live Chat widget whose backend signs its users in with JWTs. */
export interface Widget {
  /** The JWT's `iss`. */
  id: string;
  /** Its signing keys. A JWT's `ski` names one of them; a secret has at least 32 bytes. */
  keys: readonly { id: string; secret: string }[];
  /** The maximum time from a JWT's `iat` to its `exp`: 24 h. Each JWT is used once, right after it was issued. */
  maxJwtLifetimeMs?: number;
}

/** The subject of a JWT. The same value under another widget is another person. */
export interface Subject {
  widget: string;
  type: string;
  value: string;
}

/** The tolerated difference between the clocks of the service and of the signing backend. */
const CLOCK_TOLERANCE_S = 60;
const DEFAULT_MAX_JWT_LIFETIME_MS = DAY;
/** The minimum length of an HS256 secret (RFC 7518, section 3.2). */
const SECRET_BYTES = 32;

/** @throws an Error that says what is wrong with a widget, without quoting its secrets */
export function checkWidget({ id, keys, maxJwtLifetimeMs = DEFAULT_MAX_JWT_LIFETIME_MS }: Widget): void {
  if (!id) throw new Error("a widget needs an id");
  if (!keys.length || keys.some((key) => !key.id))
    throw new Error(`the widget ${id} needs at least one key, each with an id and a secret`);
  for (const { id: keyId, secret } of keys)
    if (Buffer.byteLength(secret) < SECRET_BYTES)
      throw new Error(
        `the secret of the key ${keyId} of the widget ${id} has ${Buffer.byteLength(secret)} bytes; it needs at least ${SECRET_BYTES} (openssl rand -base64 32 makes one)`,
      );
  if (!(maxJwtLifetimeMs > 0 && maxJwtLifetimeMs <= 365 * DAY))
    throw new Error(
      `maxJwtLifetimeMs of the widget ${id} must be a number of milliseconds, of 365 days at most`,
    );
}

// Bounded because the columns are indexed; without NUL, which PostgreSQL cannot store.
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(256), v.regex(/^[^\0]*$/));
/** Seconds since the epoch, before the year 5138. */
const seconds = v.pipe(v.number(), v.minValue(0), v.maxValue(1e11));
const claimsSchema = v.object({
  iss: name,
  ski: name,
  jti: name,
  stp: v.picklist(["email", "msisdn", "externalPersonId"]),
  sub: v.pipe(
    name,
    v.check((value) => value.isWellFormed()),
  ),
  iat: seconds,
  exp: seconds,
  nbf: v.exactOptional(seconds),
});

const refused = () => new Problem(4010, "the JWT is not valid", { "WWW-Authenticate": "Bearer" });

/** Verifies a widget's JWT and stores its `jti` as used, in the transaction that signs the user in. */
export async function redeemJwt(
  db: Database,
  widgets: ReadonlyMap<string, Widget>,
  jwt: string,
  now: number,
): Promise<Subject> {
  const claims = await verify(widgets, jwt, now).catch(() => {
    // The response does not reveal which check failed. The widget's backend can inspect its own JWT.
    throw refused();
  });
  const fresh = await db
    .insert(usedJwtIds)
    .values({
      widget: claims.iss,
      jti: claims.jti.toWellFormed(),
      // Verification counts whole seconds. If the `jti` were deleted within the last one, the JWT could be replayed.
      expiresAt: (Math.ceil(claims.exp) + CLOCK_TOLERANCE_S) * 1000,
    })
    .onConflictDoNothing()
    .returning({ jti: usedJwtIds.jti });
  if (!fresh.length) throw refused();
  return { widget: claims.iss, type: claims.stp, value: claims.sub };
}

async function verify(widgets: ReadonlyMap<string, Widget>, jwt: string, now: number) {
  // Decoded without verification, only to find the key that verifies it.
  const { iss, ski } = decodeJwt(jwt);
  const widget = widgets.get(iss ?? "");
  const key = widget?.keys.find(({ id }) => id === ski);
  if (!widget || !key) throw new Error("unknown widget or key");
  // This also checks `nbf` and `exp`.
  const { payload } = await jwtVerify(jwt, new TextEncoder().encode(key.secret), {
    algorithms: ["HS256"],
    clockTolerance: CLOCK_TOLERANCE_S,
    currentDate: new Date(now),
  });
  const claims = v.parse(claimsSchema, payload);
  if (claims.iat > now / 1000 + CLOCK_TOLERANCE_S) throw new Error("issued in the future");
  // `iat` is in the past, so the JWT also expires within this time from now.
  if (claims.exp - claims.iat > (widget.maxJwtLifetimeMs ?? DEFAULT_MAX_JWT_LIFETIME_MS) / 1000)
    throw new Error("valid for too long");
  return claims;
}
