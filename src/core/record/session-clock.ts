/**
 * Decides which session an activity belongs to, whether it starts one, and when one ends. Pure.
 *
 * Invariants: one open session at most; one start and one end for each; no gap over the timeout inside one; an end
 * that was recorded stays; no session reaches across a profile boundary.
 */
import { SECOND } from "../../protocol/wire.js";
import type { SessionRecord } from "../tracker-record.js";

export interface SessionBook {
  session: SessionRecord | null;
  /** The sessions that ended last, in the order in which their ends were recorded. Late activity may add one of long ago. */
  pastSessions: readonly SessionRecord[];
}

export interface Placement {
  book: SessionBook;
  session: SessionRecord;
  occurredAt: number;
  /** This activity starts the session. Late activity may start one that has ended already. */
  starts: boolean;
}

/** The number of past sessions that are kept, so that late activity finds its session. */
const PAST_SESSIONS_KEPT = 20;
/** Tabs race at the start of a session, so activity that is this little earlier belongs to it. */
const EARLY_START_MS = 10 * SECOND;

const remember = ({ pastSessions }: SessionBook, ended: SessionRecord): readonly SessionRecord[] =>
  [...pastSessions, ended].slice(-PAST_SESSIONS_KEPT);

const close = (book: SessionBook, session: SessionRecord, endedAt: number) => {
  const ended = { ...session, endedAt };
  return { book: { session: null, pastSessions: remember(book, ended) }, ended };
};

/** Ends the open session if it is due, at the instant at which it was due. */
export const endDue = (book: SessionBook, moment: number): { book: SessionBook; ended?: SessionRecord } =>
  book.session && moment >= book.session.expiresAt
    ? close(book, book.session, book.session.expiresAt)
    : { book };

/** Ends the open session because the profile changes at `moment`. */
export const endAt = (book: SessionBook, moment: number): { book: SessionBook; ended?: SessionRecord } => {
  const { session } = book;
  if (!session) return { book };
  const { expiresAt, lastActivityAt } = session;
  return close(book, session, Math.min(Math.max(moment, lastActivityAt), expiresAt));
};

/**
 * Finds or starts the session of an activity. The open session, if there is one, is not due at the time of the activity.
 *
 * @param boundaries The profile boundaries, ascending: no session reaches across one.
 */
export const placeActivity = (
  book: SessionBook,
  { at, timeoutMs }: { at: number; timeoutMs: number },
  boundaries: readonly number[],
  newId: () => string,
): Placement => {
  const { session: open, pastSessions } = book;
  const expiresAt = at + timeoutMs;
  if (open && at >= open.startedAt) {
    const session = at < open.lastActivityAt ? open : { ...open, lastActivityAt: at, expiresAt };
    return { book: { ...book, session }, session, occurredAt: at, starts: false };
  }

  const past = pastSessions.find(({ startedAt, endedAt = startedAt }) => startedAt <= at && at < endedAt);
  if (past) return { book, session: past, occurredAt: at, starts: false };

  const starts = [...pastSessions, ...(open ? [open] : [])].map(({ startedAt }) => startedAt);
  // It ends at the next session or the next profile boundary, whichever comes first.
  const end = Math.min(...[...starts, ...boundaries].filter((instant) => instant > at));
  if (open && end === open.startedAt && end - at <= EARLY_START_MS && !boundaries.includes(end)) {
    return { book, session: open, occurredAt: open.startedAt, starts: false };
  }

  const session: SessionRecord = { id: newId(), startedAt: at, lastActivityAt: at, expiresAt };
  if (end === Infinity) return { book: { ...book, session }, session, occurredAt: at, starts: true };
  const own = { ...session, endedAt: Math.min(expiresAt, end) };
  return { book: { ...book, pastSessions: remember(book, own) }, session: own, occurredAt: at, starts: true };
};
