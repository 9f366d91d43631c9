import { STANDARD_EVENTS } from "../../../src/protocol/wire.js";

/** An activity session as far as the service has heard of it. */
export interface ActivitySession {
  id: string;
  startedAt: number;
  lastActivityAt: number;
  /** The browser's own end; once made it stays. */
  endedAt: number | null;
  /** The event by which the service closed it. */
  closingSeq: number | null;
}

/** The session after one more event of it. Whatever the browser tells withdraws the service's own closing. */
export function advanceSession(
  session: ActivitySession | undefined,
  id: string,
  definitionId: string,
  at: number,
): ActivitySession {
  const isEnd = definitionId === STANDARD_EVENTS.end;
  if (!session)
    return { id, startedAt: at, lastActivityAt: at, endedAt: isEnd ? at : null, closingSeq: null };
  return {
    id,
    startedAt: Math.min(session.startedAt, at),
    lastActivityAt: isEnd ? session.lastActivityAt : Math.max(session.lastActivityAt, at),
    endedAt: isEnd ? at : session.endedAt,
    closingSeq: null,
  };
}

/** One session of which a visitor and the person that it merges into both told a part. */
export const joinSessions = (left: ActivitySession, right: ActivitySession): ActivitySession => ({
  id: left.id,
  startedAt: Math.min(left.startedAt, right.startedAt),
  lastActivityAt: Math.max(left.lastActivityAt, right.lastActivityAt),
  endedAt: left.endedAt ?? right.endedAt,
  // Each closing was made from half of the story; the next sweep sees the whole.
  closingSeq: null,
});
