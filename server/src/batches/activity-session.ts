import { STANDARD_EVENTS } from "../../../src/protocol/wire.js";

/** An activity session as the service knows it. */
export interface ActivitySession {
  id: string;
  startedAt: number;
  lastActivityAt: number;
  /** When the browser ended it. An end is final. */
  endedAt: number | null;
  /** The `seq` of the `sessionEnded` event with which the service closed it. */
  closingSeq: number | null;
}

/** Returns the session with one more event applied. Any event from the browser withdraws the service's own closing. */
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

/** Joins the two parts of a session of which some events were sent for a visitor and some for the person it merges into. */
export const joinSessions = (left: ActivitySession, right: ActivitySession): ActivitySession => ({
  id: left.id,
  startedAt: Math.min(left.startedAt, right.startedAt),
  lastActivityAt: Math.max(left.lastActivityAt, right.lastActivityAt),
  endedAt: left.endedAt ?? right.endedAt,
  // Each closing was decided on half of the events. The next sweep decides on all of them.
  closingSeq: null,
});
