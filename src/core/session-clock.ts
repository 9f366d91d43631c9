/**
 * The activity session as pure decisions: which session an activity belongs to, which starts and ends it makes.
 *
 * Invariants: one open session at most; one start and one end for each; no gap over the time-out inside one; an end
 * that was made stays; a session never crosses an era (a change of profile that does not merge).
 */
import { MINUTE, SECOND } from "../protocol/wire.js";
import type { SessionRecord } from "./tracker-record.js";

export interface SessionBook {
  session: SessionRecord | null;
  /** Ended ones, oldest first. */
  pastSessions: readonly SessionRecord[];
}

/** A `sessionStarted` (at `startedAt`) or `sessionEnded` (at `endedAt`) to be recorded. */
export interface SessionMark {
  kind: "start" | "end";
  session: SessionRecord;
}

export interface Placement {
  book: SessionBook;
  sessionId: string;
  occurredAt: number;
  /** Recorded right before the activity, in this order. */
  before: SessionMark[];
  /** Recorded right after it. */
  after: SessionMark[];
  /** The wall clock was set back by so much that what was remembered of the time ahead is forgotten. */
  clockWasSetBack: boolean;
}

/** Late activity finds its session among this many. */
const PAST_SESSIONS_KEPT = 20;
/** A clock that is back by less joins the open session; by more, somebody set it. */
const CLOCK_TOLERANCE_MS = 30 * MINUTE;
/** Tabs race at the start of a session: what is this little early belongs to it. */
const EARLY_START_MS = 10 * SECOND;

const remember = (book: SessionBook, ended: SessionRecord): readonly SessionRecord[] =>
  [...book.pastSessions, ended].toSorted((a, b) => a.startedAt - b.startedAt).slice(-PAST_SESSIONS_KEPT);

const close = (book: SessionBook, session: SessionRecord, endedAt: number) => {
  const ended = { ...session, endedAt };
  return { book: { session: null, pastSessions: remember(book, ended) }, ended };
};

/** Ends the open session if its time has come, with the time that was due. */
export const endDue = (book: SessionBook, now: number): { book: SessionBook; ended?: SessionRecord } =>
  book.session && now >= book.session.expiresAt
    ? close(book, book.session, book.session.expiresAt)
    : { book };

/** Ends the open session because the profile changes at `moment`. */
export const endAt = (book: SessionBook, moment: number): { book: SessionBook; ended?: SessionRecord } => {
  const { session } = book;
  if (!session) return { book };
  return close(
    book,
    session,
    moment >= session.expiresAt ? session.expiresAt : Math.max(moment, session.lastActivityAt),
  );
};

/** The latest instant that is known to have passed. */
export const latestKnown = (book: SessionBook, eras: readonly number[]): number =>
  Math.max(
    eras.at(-1) ?? 0,
    book.session?.lastActivityAt ?? 0,
    ...book.pastSessions.map((past) => past.endedAt as number),
  );

/**
 * Finds or makes the session of an activity.
 *
 * @param eras When profiles changed without a merge, ascending: no session reaches across one.
 */
export const placeActivity = (
  book: SessionBook,
  activity: { at: number; timeoutMs: number },
  now: number,
  eras: readonly number[],
  newId: () => string,
): Placement => {
  const latest = latestKnown(book, eras);
  const clockWasSetBack = now < latest - CLOCK_TOLERANCE_MS;
  // The clock never moves backwards: while it is a little behind, activity takes the latest time that was seen.
  const at = now < latest && !clockWasSetBack ? latest : Math.min(activity.at, now);
  const start = (from: SessionBook, before: SessionMark[]): Placement => {
    const session = { id: newId(), startedAt: at, lastActivityAt: at, expiresAt: at + activity.timeoutMs };
    return {
      book: { ...from, session },
      sessionId: session.id,
      occurredAt: at,
      before: [...before, { kind: "start", session }],
      after: [],
      clockWasSetBack,
    };
  };
  const into = (session: SessionRecord, occurredAt: number, next: SessionBook = book): Placement => ({
    book: next,
    sessionId: session.id,
    occurredAt,
    before: [],
    after: [],
    clockWasSetBack: false,
  });

  if (clockWasSetBack) {
    const pastSessions = book.pastSessions.filter((past) => (past.endedAt as number) <= at);
    const open = book.session;
    return start(
      { session: null, pastSessions },
      open ? [{ kind: "end", session: { ...open, endedAt: open.expiresAt } }] : [],
    );
  }

  const { session } = book;
  if (session && at >= session.expiresAt) {
    const { book: closed, ended } = close(book, session, session.expiresAt);
    return start(closed, [{ kind: "end", session: ended }]);
  }
  if (session && at >= session.startedAt) {
    if (at < session.lastActivityAt) return into(session, at);
    const joined = { ...session, lastActivityAt: at, expiresAt: at + activity.timeoutMs };
    return into(joined, at, { ...book, session: joined });
  }

  const past = book.pastSessions.findLast(
    ({ startedAt, endedAt }) => startedAt <= at && at < (endedAt as number),
  );
  if (past) return into(past, at);

  const later = [...book.pastSessions, ...(session ? [session] : [])].map(({ startedAt }) => startedAt);
  const nextStart = later.find((startedAt) => startedAt > at);
  const nextEra = eras.find((era) => era > at);
  if (session && nextEra === undefined && nextStart === session.startedAt) {
    if (session.startedAt - at <= EARLY_START_MS) return into(session, session.startedAt);
  }
  if (nextStart === undefined && nextEra === undefined) return start(book, []);

  const due = at + activity.timeoutMs;
  const own: SessionRecord = {
    id: newId(),
    startedAt: at,
    lastActivityAt: at,
    expiresAt: due,
    endedAt: Math.min(due, nextStart ?? due, nextEra ?? due),
  };
  return {
    book: { ...book, pastSessions: remember(book, own) },
    sessionId: own.id,
    occurredAt: at,
    before: [{ kind: "start", session: own }],
    after: [{ kind: "end", session: own }],
    clockWasSetBack: false,
  };
};
