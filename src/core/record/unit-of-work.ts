/** The unit of work of one decision: the record as changed so far, and the rows that go with it. */
import type { OutboxRow, Profile } from "../../protocol/api.js";
import type { Operation, ProfileMergeOperation } from "../../protocol/wire.js";
import { DAY, SECOND, STANDARD_EVENTS } from "../../protocol/wire.js";
import type { WriteSet } from "../ports.js";
import { instant, iso } from "../time.js";
import type { SessionRecord, TrackerRecord, VisitorRecord } from "../tracker-record.js";
import { selectedProfile } from "../tracker-record.js";
import { sameProfile, withProfileQueue } from "./profile-queues.js";
import type { SessionBook } from "./session-clock.js";
import { endAt, endDue } from "./session-clock.js";
import { isClockSetBack, mergedBefore } from "./timeline.js";

/** An operation as it waits. The token of a merge is added when the merge is sent. */
export type UnsentOperation =
  | Exclude<Operation, ProfileMergeOperation>
  | (Omit<ProfileMergeOperation, "from"> & { from: { kind: "visitor"; id: string } });

export interface UnitOfWork {
  record: TrackerRecord;
  readonly now: number;
  readonly put: OutboxRow[];
  readonly retire: string[];
}

/** The service refuses operations that are older than 30 days, so an end that old is not recorded. */
const OLDEST_END_MS = 29 * DAY;

export const unitOfWorkOn = (record: TrackerRecord, now: number): UnitOfWork => ({
  record,
  now,
  put: [],
  retire: [],
});

export const writeSetOf = ({ record, put, retire }: UnitOfWork): WriteSet & { record: TrackerRecord } => ({
  record,
  put,
  retire,
});

export const append = (work: UnitOfWork, profile: Profile, operation: UnsentOperation): void => {
  const { record } = work;
  work.put.push({
    seq: record.nextSeq,
    id: operation.id,
    type: operation.type,
    state: "waiting",
    profile,
    ...(operation.type === "event" && { sessionId: operation.sessionId }),
    occurredAt: operation.occurredAt,
    operation,
  });
  const counted = withProfileQueue(record, profile, (queue) => ({ ...queue, waiting: queue.waiting + 1 }));
  const { visitor } = record;
  work.record = {
    ...counted,
    nextSeq: record.nextSeq + 1,
    visitor: visitor && isVisitor(profile, visitor) ? withOperation(visitor, operation.occurredAt) : visitor,
  };
};

const withOperation = (visitor: VisitorRecord, occurredAt: string): VisitorRecord => ({
  ...visitor,
  hasOperations: true,
  latestOperationAt: Math.max(visitor.latestOperationAt ?? 0, instant(occurredAt)),
});

export const isVisitor = (profile: Profile, { id }: { id: string }): boolean =>
  sameProfile(profile, { kind: "visitor", id });

export const bookOf = ({ session, pastSessions }: TrackerRecord): SessionBook => ({ session, pastSessions });

/** Records a session's start. Its id follows from the session's, so that the service stores one start even if hosts race. */
export const appendStart = (work: UnitOfWork, profile: Profile, { id, startedAt }: SessionRecord): void =>
  append(work, profile, {
    id: `s-${id}`,
    type: "event",
    occurredAt: iso(startedAt),
    sessionId: id,
    definitionId: STANDARD_EVENTS.start,
  });

/** Records the end of a session, if it has ended. */
export const appendEnd = (work: UnitOfWork, profile: Profile, { id, endedAt }: SessionRecord): void => {
  if (endedAt === undefined || endedAt < work.now - OLDEST_END_MS) return;
  // A session that late activity started may reach beyond a merge. Then its end belongs to the person.
  append(work, mergedBefore(work.record, profile, endedAt), {
    id: `e-${id}`,
    type: "event",
    occurredAt: iso(endedAt),
    sessionId: id,
    definitionId: STANDARD_EVENTS.end,
  });
};

const endOpenSession = (
  work: UnitOfWork,
  { book, ended }: { book: SessionBook; ended?: SessionRecord },
): void => {
  const profile = selectedProfile(work.record);
  if (!ended || !profile) return;
  work.record = { ...work.record, ...book };
  appendEnd(work, profile, ended);
};

/** Ends the open session if it is due, and records that. */
export const endDueSession = (work: UnitOfWork, moment = work.now): void =>
  endOpenSession(work, endDue(bookOf(work.record), moment));

/** Ends the open session because the profile that is selected gives way to another. */
export const endSessionAt = (work: UnitOfWork, moment: number): void =>
  endOpenSession(work, endAt(bookOf(work.record), moment));

/** Calls arrive a moment after they were made, so the selected profile must have been selected a moment ago already. */
const ON_ITS_WAY_MS = 10 * SECOND;

/** Forgets the time ahead of a wall clock that was set back: nothing can have happened then. */
export const forgetTimeAhead = (work: UnitOfWork): void => {
  const { now } = work;
  if (!isClockSetBack(work.record, now)) return;
  endSessionAt(work, Infinity);
  const { pastSessions, selections, visitor } = work.record;
  work.record = {
    ...work.record,
    pastSessions: pastSessions.filter(({ endedAt = 0 }) => endedAt <= now),
    selections: selections.map((selection) => ({
      ...selection,
      selectedAt: Math.min(selection.selectedAt, now - ON_ITS_WAY_MS),
    })),
    visitor: visitor && { ...visitor, lastActivityAt: Math.min(visitor.lastActivityAt, now) },
  };
};
