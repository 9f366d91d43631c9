import type { LiveChatSession } from "../protocol/api.js";
import { HOUR, MINUTE, SECOND } from "../protocol/wire.js";
import type { Wanted } from "./wanted.js";

const FIRST_RETRY_MS = 1 * SECOND;
const LONGEST_RETRY_MS = 5 * MINUTE;
/** A longer `Retry-After` is cut to this. A wait further ahead comes from a clock that was set back. */
const LONGEST_WAIT_MS = 1 * HOUR;
/** Older ones expire on the service by themselves. */
const TOKENS_KEPT = 20;

/** What the service has granted to this browser. Only the tab that makes an exchange writes it. */
export interface Granted {
  session: GrantedSession | null;
  /** Tokens of sessions that are over, but not yet on the service. */
  toTerminate: readonly string[];
  /** Failed exchanges since the last good one. */
  failures: number;
  /** The next exchange waits until then, in milliseconds since the epoch. */
  retryAt: number;
  /** The service asked for the wait: nothing ends it early. */
  isRetryBinding: boolean;
  /** When the service last confirmed the session. */
  checkedAt: number;
}

export interface GrantedSession extends LiveChatSession {
  /** The `Wanted.epoch` for which it was granted. */
  epoch: number;
  userId: string | null;
}

export const NOTHING_GRANTED: Granted = {
  session: null,
  toTerminate: [],
  failures: 0,
  retryAt: 0,
  isRetryBinding: false,
  checkedAt: 0,
};

/** The granted session, unless it is over. */
export const sessionOf = (wanted: Wanted, { session }: Granted): GrantedSession | null =>
  session?.epoch === wanted.epoch ? session : null;

/**
 * A session that another tab was granted meanwhile stays, and the new one is terminated: this happens only where the browser
 * has no Web Locks.
 */
export const withSession = (granted: Granted, session: GrantedSession, now: number): Granted => {
  const earlier = granted.session;
  const isDuplicate =
    earlier?.epoch === session.epoch && (session.userId === null || session.userId === earlier.userId);
  const [kept, over] = isDuplicate ? [earlier, session] : [session, earlier];
  // A lead's session goes on as the user's, under the same id and with a new token.
  const isOver = over && over.id !== kept.id;
  return {
    ...withGoodAnswer(granted),
    session: kept,
    toTerminate: isOver ? [...granted.toTerminate, over.token].slice(-TOKENS_KEPT) : granted.toTerminate,
    checkedAt: now,
  };
};

/** Forgets the session of a token that the service has terminated. */
export const withoutToken = (granted: Granted, token: string): Granted => ({
  ...withGoodAnswer(granted),
  session: granted.session?.token === token ? null : granted.session,
  toTerminate: granted.toTerminate.filter((each) => each !== token),
});

export const withConfirmation = (granted: Granted, now: number): Granted => ({ ...granted, checkedAt: now });

const withGoodAnswer = (granted: Granted): Granted => ({
  ...granted,
  failures: 0,
  retryAt: 0,
  isRetryBinding: false,
});

/** Exponential back-off with full jitter, or the `Retry-After` of the service if that is longer. */
export const withFailure = (
  granted: Granted,
  now: number,
  random: number,
  retryAfterMs: number | undefined,
): Granted => {
  const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(granted.failures, 20));
  const backOffMs = Math.round(random * ceiling);
  const askedMs = Math.min(retryAfterMs ?? 0, LONGEST_WAIT_MS);
  return {
    ...granted,
    failures: granted.failures + 1,
    retryAt: now + Math.max(backOffMs, askedMs),
    isRetryBinding: askedMs > 0,
  };
};

export const waitMsOf = ({ retryAt }: Granted, now: number): number => {
  const waitMs = retryAt - now;
  return waitMs > 0 && waitMs <= LONGEST_WAIT_MS ? waitMs : 0;
};

/** @returns what is stored, or nothing granted where it is missing or was damaged */
export const readGranted = (stored: unknown): Granted => {
  const given = Object(stored) as Partial<Record<keyof Granted, unknown>>;
  const { session, toTerminate, failures, retryAt, isRetryBinding, checkedAt } = given;
  const isRead =
    (session === null || isSession(session)) &&
    Array.isArray(toTerminate) &&
    toTerminate.every((token) => typeof token === "string") &&
    [failures, retryAt, checkedAt].every((count) => typeof count === "number") &&
    typeof isRetryBinding === "boolean";
  return isRead ? (given as Granted) : NOTHING_GRANTED;
};

const isSession = (stored: unknown): stored is GrantedSession => {
  const { id, kind, personId, token, epoch, userId } = Object(stored) as Partial<
    Record<keyof GrantedSession, unknown>
  >;
  return (
    [id, personId, token].every((text) => typeof text === "string") &&
    (kind === "lead" || kind === "authenticated") &&
    typeof epoch === "number" &&
    (userId === null || typeof userId === "string")
  );
};
