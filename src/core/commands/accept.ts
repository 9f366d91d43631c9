/**
 * Accepts or refuses the commands of pages: which rows they add, how they change session and profile, and the answer to
 * each. Pure: the store commits it in one transaction. A refused command leaves its group alone.
 */
import type { TrackingError } from "../../protocol/api.js";
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
import { OPTED_OUT_CAUSE, trackingError } from "../errors.js";
import { withDue } from "../delivery/due.js";
import type { Ids, ReadSet, Snapshot, WriteSet } from "../ports.js";
import { rejectedIn, waitingIn } from "../record/profile-queues.js";
import { ensureProfile, liveChatLeft, liveChatTold, retirementKeys } from "../record/profile-selection.js";
import { placeActivity } from "../record/session-clock.js";
import { instantOf, personSince, profileAt, profileBoundaries } from "../record/timeline.js";
import type { UnitOfWork } from "../record/unit-of-work.js";
import {
  append,
  appendEnd,
  appendStart,
  bookOf,
  endDueSession,
  isVisitor,
  unitOfWorkOn,
  writeSetOf,
} from "../record/unit-of-work.js";
import { iso } from "../time.js";
import type { TrackerRecord } from "../tracker-record.js";
import { isOptedOut } from "../tracker-record.js";
import type { ProcessedCommands } from "./processed-commands.js";
import { isProcessed, noProcessedCommands, refusalOf, withProcessed } from "./processed-commands.js";

const TOO_LATE_CAUSE = "it reached the tracker's host too late to be stored";

/** One page's commands, in the order of the calls. */
export interface CommandGroup {
  pageId: string;
  commands: readonly Command[];
  /** Commands that validation refused, by their number; they are processed with the rest. */
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

export const readSetOf = (groups: readonly CommandGroup[]): ReadSet => ({
  pages: [...new Set(groups.map(({ pageId }) => pageId))],
  liveChat: groups.flatMap(({ commands }) =>
    commands.flatMap((command) =>
      command.type === "liveChat" && command.session ? retirementKeys(command.session) : [],
    ),
  ),
});

/** Returns whom an update is about: the profile selected at the call, or the one it has merged into since. */
const personOf = ({ record, now }: UnitOfWork, { at }: UpdatePersonCommand | AppendToListCommand) =>
  personSince(record, instantOf(record, at, now));

/** How long its rows may wait for others. What a journal has saved is late already. */
const delayOf = (command: Command): number =>
  "deliveryDelayMs" in command ? (command.deliveryDelayMs ?? 0) : 0;

/** Whether a command's deadline has passed. What Live Chat reports has none, for it reports each change once. */
const isLate = ({ type, deadline = Infinity }: Command, now: number): boolean =>
  type !== "liveChat" && now > deadline;

const refusalCause = (work: UnitOfWork, command: Command): string | null => {
  const { record } = work;
  if (command.generation < record.generation) {
    return "this browser's tracking data was erased in the meantime";
  }
  // A change of Live Chat is no activity.
  if (command.type === "liveChat") return null;
  if (isOptedOut(record)) return OPTED_OUT_CAUSE;
  const held = waitingIn(record) + rejectedIn(record);
  if (held >= command.maxWaiting) {
    return `the outbox is full: ${held} operations wait or were rejected (maxWaiting is ${command.maxWaiting})`;
  }
  if (command.type === "updatePerson" || command.type === "appendToList") {
    const kind = personOf(work, command)?.kind ?? "visitor";
    if (kind !== "lead") return `only a lead can be updated, and the profile is of kind ${kind}`;
  }
  return null;
};

const recordActivity = (
  work: UnitOfWork,
  command: TrackCommand | PageViewCommand,
  ids: Ids,
  event: Pick<EventOperation, "id" | "definitionId" | "properties" | "page">,
): void => {
  const selected = ensureProfile(work, command.at, ids);
  const at = instantOf(work.record, command.at, work.now);
  endDueSession(work, at);
  const { book, session, occurredAt, starts } = placeActivity(
    bookOf(work.record),
    { at, timeoutMs: command.sessionTimeoutMs },
    profileBoundaries(work.record),
    () => ids.sessionId(),
  );
  work.record = { ...work.record, ...book };
  const profile = profileAt(work.record, occurredAt) ?? selected;
  if (starts) appendStart(work, profile, session);
  const { id, ...rest } = event;
  append(work, profile, {
    id,
    type: "event",
    occurredAt: iso(occurredAt),
    sessionId: session.id,
    ...rest,
  });
  if (starts) appendEnd(work, profile, session);
  const { visitor } = work.record;
  if (visitor && isVisitor(profile, visitor)) {
    const lastActivityAt = Math.max(visitor.lastActivityAt, occurredAt);
    work.record = { ...work.record, visitor: { ...visitor, lastActivityAt } };
  }
};

const recordUpdate = (
  work: UnitOfWork,
  command: UpdatePersonCommand | AppendToListCommand,
  operationAt: (occurredAt: string) => PersonUpdateOperation | ListAppendOperation,
): void => {
  const profile = personOf(work, command);
  if (!profile) return;
  append(work, profile, operationAt(iso(instantOf(work.record, command.at, work.now))));
};

const apply = (
  work: UnitOfWork,
  pageId: string,
  command: Command,
  retired: ReadonlySet<string>,
  ids: Ids,
): void => {
  const id = `${pageId}-${command.n}`;
  switch (command.type) {
    case "track": {
      const { eventId, properties, page } = command;
      return recordActivity(work, command, ids, {
        id,
        definitionId: eventId,
        ...(properties && { properties }),
        ...(page && { page }),
      });
    }
    case "pageView": {
      const properties = { ...command.page };
      return recordActivity(work, command, ids, {
        id,
        definitionId: STANDARD_EVENTS.pageView,
        ...(Object.keys(properties).length > 0 && { properties }),
      });
    }
    case "updatePerson": {
      const { person } = command;
      return recordUpdate(work, command, (occurredAt) => ({
        id,
        type: "person.update",
        occurredAt,
        person,
      }));
    }
    case "appendToList": {
      const { attribute, item } = command;
      return recordUpdate(work, command, (occurredAt) => ({
        id,
        type: "list.append",
        occurredAt,
        attribute,
        item,
      }));
    }
    case "liveChat":
      if (command.session) return liveChatTold(work, command.session, command.at, retired);
      if (command.left !== undefined) liveChatLeft(work, command.left, command.at, ids);
  }
};

/**
 * Accepts commands within a unit of work. Returns their pages' processed commands and the answer to each.
 *
 * @param before The record before anything was added to it.
 * @param mayGather Whether events may wait for others before they are sent.
 */
export const acceptInto = (
  work: UnitOfWork,
  snapshot: Pick<Snapshot, "pages" | "retired">,
  groups: readonly CommandGroup[],
  ids: Ids,
  before: TrackerRecord,
  mayGather: boolean,
): { pages: ProcessedCommands[]; answers: CommandAnswer[][] } => {
  const { now } = work;
  let delayMs = mayGather ? Infinity : 0;
  const pages = new Map<string, ProcessedCommands>();
  const answers = groups.map(({ pageId, commands, invalid }) =>
    commands.map((command): CommandAnswer => {
      const { n } = command;
      const processed = pages.get(pageId) ?? snapshot.pages.get(pageId) ?? noProcessedCommands(pageId);
      if (isProcessed(processed, n)) {
        const error = refusalOf(processed, n);
        return error ? { n, error } : { n };
      }
      if (isLate(command, now)) {
        // It stays unprocessed: a copy without a deadline may still come, from the journal of a page that has gone.
        return { n, error: commandError(command, TOO_LATE_CAUSE), undecided: true };
      }
      const cause = refusalCause(work, command);
      const error = invalid.get(n) ?? (cause === null ? undefined : commandError(command, cause));
      pages.set(pageId, withProcessed(processed, n, now, error));
      if (error) return { n, error };
      apply(work, pageId, command, snapshot.retired, ids);
      delayMs = Math.min(delayMs, delayOf(command));
      return { n };
    }),
  );
  endDueSession(work);
  work.record = withDue(work.record, before, work.put, delayMs === Infinity ? 0 : delayMs, now);
  return { pages: [...pages.values()], answers };
};

export const accept = (
  snapshot: Snapshot,
  groups: readonly CommandGroup[],
  now: number,
  ids: Ids,
  mayGather = true,
): { change: WriteSet & { record: TrackerRecord }; result: CommandAnswer[][] } => {
  const work = unitOfWorkOn(snapshot.record, now);
  const { pages, answers } = acceptInto(work, snapshot, groups, ids, snapshot.record, mayGather);
  return { change: { ...writeSetOf(work), pages }, result: answers };
};
