import { MINUTE } from "../protocol/wire.js";
import type { Granted } from "./granted.js";
import { sessionOf } from "./granted.js";
import type { Wanted } from "./wanted.js";

/** One page after another is not a reason to ask again. */
const CHECK_INTERVAL_MS = 1 * MINUTE;

/** One request to the service. */
export type Exchange =
  | { kind: "start" }
  | { kind: "authenticate"; userId: string; sessionId?: string }
  | { kind: "terminate"; token: string }
  | { kind: "check"; token: string };

/**
 * Decides what brings what is granted closer to what is wanted; `null` if nothing does. Pure.
 *
 * @param hasJwt whether this tab can prove that this user signed in; if not, a tab that can makes the exchange
 */
export const nextExchange = (
  wanted: Wanted,
  granted: Granted,
  now: number,
  hasJwt: (userId: string) => boolean,
): Exchange | null => {
  const { userId, isStarted } = wanted;
  const session = sessionOf(wanted, granted);
  if (userId !== null && session?.userId !== userId) {
    if (hasJwt(userId)) return { kind: "authenticate", userId, ...(session && { sessionId: session.id }) };
  } else if (isStarted && !session) return { kind: "start" };

  const [over] = session || !granted.session ? granted.toTerminate : [granted.session.token];
  if (over !== undefined) return { kind: "terminate", token: over };

  const sinceCheckMs = now - granted.checkedAt;
  const isCheckDue = sinceCheckMs >= CHECK_INTERVAL_MS || sinceCheckMs < 0;
  return session && isCheckDue ? { kind: "check", token: session.token } : null;
};
