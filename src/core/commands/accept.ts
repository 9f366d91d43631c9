/**
 * Decides what becomes of the commands that pages sent: the rows they make, the session and profile they leave behind,
 * and the answer to each. Pure: the store commits it in one transaction. A refused command leaves its group alone.
 */
import type { TrackingError } from "../../protocol/api.js";
import { OPTED_OUT_CAUSE, trackingError } from "../errors.js";
import type {
  AppendToListCommand,
  Command,
  CommandAnswer,
  PageViewCommand,
  TrackCommand,
  UpdatePersonCommand,
} from "../../protocol/host.js";
import type { EventOperation, ListAppendOperation, PersonUpdateOperation } from "../../protocol/wire.js";
import { STANDARD_EVENTS } from "../../protocol/wire.js";
import type { Draft } from "../record/draft.js";
import {
  append,
  appendEnd,
  appendStart,
  bookOf,
  changeOf,
  draftOf,
  endDueSession,
  isVisitor,
} from "../record/draft.js";
import { rejectedIn, waitingIn } from "../record/lanes.js";
import type { PageMarks } from "./page-marks.js";
import { decided, isDecided, newPageMarks, refusalOf } from "./page-marks.js";
import type { Change, Ids, Need, Snapshot } from "../ports.js";
import { ensureProfile, liveChatLeft, liveChatTold, retirementKeys } from "../record/profile-selection.js";
import { placeActivity } from "../record/session-clock.js";
import { iso } from "../time.js";
import { erasOf, instantOf, personSince, profileAt } from "../record/timeline.js";
import { isOptedOut } from "../tracker-record.js";

const TOO_LATE_CAUSE = "it reached the tracker's host too late to be stored";

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

/** Whom an update is about: who was selected at the call, or whom that one has merged into since. */
const personOf = ({ record, now }: Draft, { at }: UpdatePersonCommand | AppendToListCommand) =>
  personSince(record, instantOf(record, at, now));

/** What Live Chat says is told once: it is never too late for it. */
const isLate = ({ type, deadline = Infinity }: Command, now: number): boolean =>
  type !== "liveChat" && now > deadline;

const refusalCause = (draft: Draft, command: Command): string | null => {
  const { record } = draft;
  if (command.generation < record.generation) {
    return "this browser's tracking data was erased in the meantime";
  }
  // It is no activity.
  if (command.type === "liveChat") return null;
  if (isOptedOut(record)) return OPTED_OUT_CAUSE;
  const held = waitingIn(record) + rejectedIn(record);
  if (held >= command.maxWaiting) {
    return `the outbox is full: ${held} operations wait or were rejected (maxWaiting is ${command.maxWaiting})`;
  }
  if (command.type === "updatePerson" || command.type === "appendToList") {
    const kind = personOf(draft, command)?.kind ?? "visitor";
    if (kind !== "lead") return `only a lead can be updated, and the profile is of kind ${kind}`;
  }
  return null;
};

const recordActivity = (
  draft: Draft,
  command: TrackCommand | PageViewCommand,
  ids: Ids,
  event: Pick<EventOperation, "id" | "definitionId" | "properties" | "page">,
): void => {
  const selected = ensureProfile(draft, command.at, ids);
  const at = instantOf(draft.record, command.at, draft.now);
  endDueSession(draft, at);
  const { book, session, occurredAt, starts } = placeActivity(
    bookOf(draft.record),
    { at, timeoutMs: command.sessionTimeoutMs },
    erasOf(draft.record),
    () => ids.sessionId(),
  );
  draft.record = { ...draft.record, ...book };
  const profile = profileAt(draft.record, occurredAt) ?? selected;
  if (starts) appendStart(draft, profile, session);
  const { id, ...rest } = event;
  append(draft, profile, {
    id,
    type: "event",
    occurredAt: iso(occurredAt),
    sessionId: session.id,
    ...rest,
  });
  if (starts) appendEnd(draft, profile, session);
  const { visitor } = draft.record;
  if (visitor && isVisitor(profile, visitor)) {
    const lastActivityAt = Math.max(visitor.lastActivityAt, occurredAt);
    draft.record = { ...draft.record, visitor: { ...visitor, lastActivityAt } };
  }
};

const recordUpdate = (
  draft: Draft,
  command: UpdatePersonCommand | AppendToListCommand,
  operationAt: (occurredAt: string) => PersonUpdateOperation | ListAppendOperation,
): void => {
  const profile = personOf(draft, command);
  if (!profile) return;
  append(draft, profile, operationAt(iso(instantOf(draft.record, command.at, draft.now))));
};

const apply = (
  draft: Draft,
  pageId: string,
  command: Command,
  retired: ReadonlySet<string>,
  ids: Ids,
): void => {
  const id = `${pageId}-${command.n}`;
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
    case "pageView": {
      const properties = { ...command.page };
      return recordActivity(draft, command, ids, {
        id,
        definitionId: STANDARD_EVENTS.pageView,
        ...(Object.keys(properties).length > 0 && { properties }),
      });
    }
    case "updatePerson": {
      const { person } = command;
      return recordUpdate(draft, command, (occurredAt) => ({
        id,
        type: "person.update",
        occurredAt,
        person,
      }));
    }
    case "appendToList": {
      const { attribute, item } = command;
      return recordUpdate(draft, command, (occurredAt) => ({
        id,
        type: "list.append",
        occurredAt,
        attribute,
        item,
      }));
    }
    case "liveChat":
      if (command.session) return liveChatTold(draft, command.session, command.at, retired);
      if (command.left !== undefined) liveChatLeft(draft, command.left, command.at, ids);
  }
};

/** Adds them to a change that is being made. Answers what is decided now of their pages, and the answer to each. */
export const acceptInto = (
  draft: Draft,
  snapshot: Pick<Snapshot, "pages" | "retired">,
  groups: readonly CommandGroup[],
  ids: Ids,
): { pages: PageMarks[]; answers: CommandAnswer[][] } => {
  const { now } = draft;
  const pages = new Map<string, PageMarks>();
  const answers = groups.map(({ pageId, commands, invalid }) =>
    commands.map((command): CommandAnswer => {
      const { n } = command;
      const marks = pages.get(pageId) ?? snapshot.pages.get(pageId) ?? newPageMarks(pageId);
      if (isDecided(marks, n)) {
        const error = refusalOf(marks, n);
        return error ? { n, error } : { n };
      }
      if (isLate(command, now)) {
        // Undecided: a copy without a deadline, in the journal of a page that went, may still come.
        return { n, error: commandError(command, TOO_LATE_CAUSE), undecided: true };
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
  return { pages: [...pages.values()], answers };
};

export const accept = (
  snapshot: Snapshot,
  groups: readonly CommandGroup[],
  now: number,
  ids: Ids,
): { change: Change; result: CommandAnswer[][] } => {
  const draft = draftOf(snapshot.record, now);
  const { pages, answers } = acceptInto(draft, snapshot, groups, ids);
  return { change: { ...changeOf(draft), pages }, result: answers };
};
