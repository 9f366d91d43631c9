/**
 * Decides what becomes of the commands that pages sent: the rows they make, the session and profile they leave behind,
 * and the answer to each. Pure: the store commits it in one transaction. A refused command leaves its group alone.
 */
import type { Profile, TrackingError } from "../protocol/api.js";
import { OPTED_OUT_CAUSE, trackingError } from "../protocol/errors.js";
import type { Command, CommandAnswer, PageViewCommand, TrackCommand } from "../protocol/host.js";
import type { EventOperation } from "../protocol/wire.js";
import { STANDARD_EVENTS } from "../protocol/wire.js";
import type { Draft } from "./draft.js";
import { append, appendMark, bookOf, changeOf, draftOf, endDueSession } from "./draft.js";
import { rejectedIn, waitingIn } from "./lanes.js";
import type { PageMarks } from "./page-marks.js";
import { decided, isDecided, newPageMarks, refusalOf } from "./page-marks.js";
import type { Change, Ids, Need, Snapshot } from "./ports.js";
import {
  ensureProfile,
  erasOf,
  liveChatLeft,
  liveChatTold,
  profileAt,
  retirementKeys,
} from "./profile-selection.js";
import type { SessionMark } from "./session-clock.js";
import { placeActivity } from "./session-clock.js";
import { iso } from "./time.js";
import { isOptedOut } from "./tracker-record.js";

/** One page's commands, in the order of the calls. */
export interface CommandGroup {
  pageId: string;
  commands: readonly Command[];
  /** Commands that validation refused, by their number; they are marked as decided with the rest. */
  invalid: ReadonlyMap<number, TrackingError>;
}

const ERROR_CODES = {
  track: 2016,
  pageView: 2016,
  updatePerson: 2017,
  appendToList: 2019,
  liveChat: 2102,
} as const;

/** The error of a command's own call, with its cause. */
export const commandError = (command: Command, cause: string): TrackingError =>
  trackingError(ERROR_CODES[command.type], "worker", cause);

export const needOf = (groups: readonly CommandGroup[]): Need => ({
  pages: [...new Set(groups.map(({ pageId }) => pageId))],
  liveChat: groups.flatMap(({ commands }) =>
    commands.flatMap((command) =>
      command.type === "liveChat" && command.session ? retirementKeys(command.session) : [],
    ),
  ),
});

const refusalCause = (draft: Draft, command: Command): string | null => {
  // What Live Chat says is told once: it is never too late for it, and it is no activity.
  if (command.type === "liveChat") return null;
  const { record, now } = draft;
  if (command.deadline !== undefined && now > command.deadline) {
    return "it reached the tracker's host too late to be stored";
  }
  if (command.generation < record.generation)
    return "this browser's tracking data was erased in the meantime";
  if (isOptedOut(record)) return OPTED_OUT_CAUSE;
  const held = waitingIn(record) + rejectedIn(record);
  if (held >= command.maxWaiting) {
    return `the outbox is full: ${held} operations wait or were rejected (maxWaiting is ${command.maxWaiting})`;
  }
  if (command.type === "updatePerson" || command.type === "appendToList") {
    const kind = record.selections.at(-1)?.profile.kind ?? "visitor";
    if (kind !== "lead") return `only a lead can be updated, and the profile is of kind ${kind}`;
  }
  return null;
};

/** Once the wall clock was set back, no profile can have been selected in the time ahead. */
const forgetTimeAhead = (draft: Draft, at: number): void => {
  draft.record = {
    ...draft.record,
    selections: draft.record.selections.map((selection) => ({
      ...selection,
      selectedAt: Math.min(selection.selectedAt, at),
    })),
  };
};

const recordActivity = (
  draft: Draft,
  command: TrackCommand | PageViewCommand,
  ids: Ids,
  event: Pick<EventOperation, "id" | "definitionId" | "properties" | "page">,
): void => {
  const current = ensureProfile(draft, command.at, ids);
  const placement = placeActivity(
    bookOf(draft.record),
    { at: command.at, timeoutMs: command.sessionTimeoutMs },
    draft.now,
    erasOf(draft.record),
    () => ids.sessionId(),
  );
  const { occurredAt, sessionId } = placement;
  if (placement.clockWasSetBack) forgetTimeAhead(draft, occurredAt);
  draft.record = { ...draft.record, ...placement.book };
  const profileOf = (instant: number): Profile => profileAt(draft.record, instant) ?? current;
  const mark = (sessionMark: SessionMark): void => {
    const { startedAt, lastActivityAt, endedAt = 0 } = sessionMark.session;
    // An end belongs to the profile right before it: at that very moment another may have been selected.
    const instant = sessionMark.kind === "start" ? startedAt : Math.max(lastActivityAt, endedAt - 1);
    appendMark(draft, profileOf(instant), sessionMark);
  };
  placement.before.forEach(mark);
  const { id, ...rest } = event;
  append(draft, profileOf(occurredAt), {
    id,
    type: "event",
    occurredAt: iso(occurredAt),
    sessionId,
    ...rest,
  });
  placement.after.forEach(mark);
  const { visitor } = draft.record;
  if (visitor && profileOf(occurredAt).id === visitor.id) {
    const lastActivityAt = Math.max(visitor.lastActivityAt, occurredAt);
    draft.record = { ...draft.record, visitor: { ...visitor, lastActivityAt } };
  }
};

const apply = (
  draft: Draft,
  pageId: string,
  command: Command,
  retired: ReadonlySet<string>,
  ids: Ids,
): void => {
  const id = `${pageId}-${command.n}`;
  const occurredAt = iso(Math.min(command.at, draft.now));
  switch (command.type) {
    case "track": {
      const { eventId, properties, page } = command;
      return recordActivity(draft, command, ids, {
        id,
        definitionId: eventId,
        ...(properties && { properties }),
        ...(page && { page }),
      });
    }
    case "pageView":
      return recordActivity(draft, command, ids, {
        id,
        definitionId: STANDARD_EVENTS.pageView,
        ...(command.page && { properties: { ...command.page } }),
      });
    case "updatePerson": {
      const profile = ensureProfile(draft, command.at, ids);
      return append(draft, profile, { id, type: "person.update", occurredAt, person: command.person });
    }
    case "appendToList": {
      const { attribute, item } = command;
      const profile = ensureProfile(draft, command.at, ids);
      return append(draft, profile, { id, type: "list.append", occurredAt, attribute, item });
    }
    case "liveChat":
      if (command.session) return liveChatTold(draft, command.session, command.at, retired);
      if (command.left !== undefined) liveChatLeft(draft, command.left, command.at, ids);
  }
};

export const accept = (
  snapshot: Snapshot,
  groups: readonly CommandGroup[],
  now: number,
  ids: Ids,
): { change: Change; result: CommandAnswer[][] } => {
  const draft = draftOf(snapshot.record, now);
  const pages = new Map<string, PageMarks>();
  const result = groups.map(({ pageId, commands, invalid }) =>
    commands.map((command): CommandAnswer => {
      const { n } = command;
      const marks = pages.get(pageId) ?? snapshot.pages.get(pageId) ?? newPageMarks(pageId);
      if (isDecided(marks, n)) {
        const error = refusalOf(marks, n);
        return error ? { n, error } : { n };
      }
      const cause = refusalCause(draft, command);
      const error = invalid.get(n) ?? (cause === null ? undefined : commandError(command, cause));
      pages.set(pageId, decided(marks, n, now, error));
      if (error) return { n, error };
      apply(draft, pageId, command, snapshot.retired, ids);
      return { n };
    }),
  );
  endDueSession(draft);
  return { change: { ...changeOf(draft), pages: [...pages.values()] }, result };
};
