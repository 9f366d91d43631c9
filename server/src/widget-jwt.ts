import { decodeJwt, jwtVerify } from "jose";
import * as v from "valibot";
import type { Database } from "./database.js";
import { Problem } from "./problem.js";
import { usedJwtIds } from "./schema.js";

/** A Live Chat widget, whose backend signs its users in with a JWT. */
export interface Widget {
  /** The JWT's `iss`. */
  id: string;
  /** Its signing keys: the JWT's `ski` names one, and its secret verifies it. */
  keys: readonly { id: string; secret: string }[];
}

/** Whom a JWT names. */
export interface Subject {
  type: string;
  value: string;
}

/** How far ahead the clock of the backend that signs may be. */
const CLOCK_TOLERANCE_S = 60;

// Bounded, because they are kept in indexes; without NUL, which PostgreSQL's text cannot hold.
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(256), v.regex(/^[^\0]*$/));
const seconds = v.pipe(v.number(), v.minValue(0), v.maxValue(1e12));
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
});

const refused = () => new Problem(4010, "the JWT is not valid", { "WWW-Authenticate": "Bearer" });

/** Verifies a widget's JWT and marks its `jti` as used, in the transaction that signs the user in. */
export async function redeemJwt(
  db: Database,
  widgets: ReadonlyMap<string, Widget>,
  jwt: string,
  now: number,
): Promise<Subject> {
  const claims = await verify(widgets, jwt, now).catch(() => {
    // Which check failed is nobody's business but the widget's, and it can look at its own JWT.
    throw refused();
  });
  const fresh = await db
    .insert(usedJwtIds)
    .values({
      widget: claims.iss,
      jti: claims.jti.toWellFormed(),
      // Verification counts whole seconds: forgotten within its last one, it could be used again.
      expiresAt: (Math.ceil(claims.exp) + CLOCK_TOLERANCE_S) * 1000,
    })
    .onConflictDoNothing()
    .returning({ jti: usedJwtIds.jti });
  if (!fresh.length) throw refused();
  return { type: claims.stp, value: claims.sub };
}

async function verify(widgets: ReadonlyMap<string, Widget>, jwt: string, now: number) {
  // Read before it is verified, only to find the key that verifies it.
  const { iss, ski } = decodeJwt(jwt);
  const key = widgets.get(iss ?? "")?.keys.find(({ id }) => id === ski);
  if (!key) throw new Error("unknown widget or key");
  const { payload } = await jwtVerify(jwt, new TextEncoder().encode(key.secret), {
    algorithms: ["HS256"],
    clockTolerance: CLOCK_TOLERANCE_S,
    currentDate: new Date(now),
  });
  const claims = v.parse(claimsSchema, payload);
  if (claims.iat > now / 1000 + CLOCK_TOLERANCE_S) throw new Error("issued in the future");
  return claims;
}
