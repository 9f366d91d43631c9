/**
 * Selects the profile (the visitor, the lead or the authenticated user) from what Live Chat reports in the tabs.
 *
 * Every tab reports the same change sooner or later, and some report one that is long past. A change takes effect once: a
 * Live Chat session that has ended is retired for good, and a report of `null` ends only the session that the reporting tab
 * saw before.
 */
import type { LiveChatSession, Profile } from "../../protocol/api.js";
import { VISITOR_LIFETIME_MS } from "../../protocol/wire.js";
import type { Ids } from "../ports.js";
import { iso } from "../time.js";
import type { Selection } from "../tracker-record.js";
import { selectedProfile } from "../tracker-record.js";
import { sameProfile, withClosedBreaker, withoutIdleQueues, withProfileQueue } from "./profile-queues.js";
import { instantOf, latestKnown } from "./timeline.js";
import type { UnitOfWork } from "./unit-of-work.js";
import { append, endDueSession, endSessionAt, forgetTimeAhead } from "./unit-of-work.js";

/** The number of selections that are kept, so that late activity finds its profile. */
const SELECTIONS_KEPT = 100;

const goneAt = (visitor: { lastActivityAt: number }): number => visitor.lastActivityAt + VISITOR_LIFETIME_MS;

const withSelections = (work: UnitOfWork, selections: readonly Selection[]): void => {
  const visitor = selections.at(-1)?.profile.kind === "visitor" ? work.record.visitor : null;
  work.record = { ...work.record, visitor, selections: selections.slice(-SELECTIONS_KEPT) };
};

/** Selects a profile from an instant on. If the profile before does not merge into it, the session ends there. */
const select = (work: UnitOfWork, next: Profile, instant: number, merges: boolean): void => {
  // Everything that was accepted before stays before this change, whatever the clocks of the tabs show.
  const selectedAt = Math.max(instant, latestKnown(work.record));
  if (merges) endDueSession(work, selectedAt);
  else endSessionAt(work, selectedAt);
  withSelections(work, [...work.record.selections, { profile: next, selectedAt, merges }]);
};

/** Selects the first person after a visitor, and merges the visitor into that person. */
const selectAfterVisitor = (work: UnitOfWork, next: Profile, instant: number): void => {
  const { selections, visitor } = work.record;
  const last = selections.at(-1);
  if (!visitor || !last) return select(work, next, instant, false);
  if (instant > goneAt(visitor)) return select(work, next, goneAt(visitor), false);
  // There is nothing to merge: the person takes the visitor's place, and late activity of that time is the person's.
  if (!visitor.hasOperations) {
    return withSelections(work, [...selections.slice(0, -1), { ...last, profile: next }]);
  }
  const from = { kind: "visitor", id: visitor.id } as const;
  select(work, next, instant, true);
  append(work, next, {
    id: `m-${from.id.replaceAll("-", "")}`,
    type: "profile.merge",
    // Not before any operation that it merges, even if the clock was set back since: the service would refuse that operation.
    occurredAt: iso(Math.max(latestKnown(work.record), visitor.latestOperationAt ?? 0)),
    from,
  });
  work.record = withProfileQueue(work.record, from, (queue) => ({ ...queue, merging: true }));
};

const selectNewVisitor = (work: UnitOfWork, instant: number, ids: Ids): void => {
  const id = ids.uuid();
  select(work, { kind: "visitor", id }, instant, false);
  work.record = { ...work.record, visitor: { id, lastActivityAt: work.now, hasOperations: false } };
};

/** Keeps the queue of the selected profile, and removes the other queues that nothing needs any more. */
const settleQueues = (work: UnitOfWork): void => {
  const selected = selectedProfile(work.record);
  if (selected) work.record = withoutIdleQueues(withProfileQueue(work.record, selected, (queue) => queue));
};

/** Creates a visitor if no profile is selected, and a new one if the visitor has expired. */
export const ensureProfile = (work: UnitOfWork, at: number, ids: Ids): Profile => {
  forgetTimeAhead(work);
  const instant = instantOf(work.record, at, work.now);
  const { visitor } = work.record;
  const selected = selectedProfile(work.record);
  if (selected && !(visitor && instant > goneAt(visitor))) return selected;
  selectNewVisitor(work, visitor ? goneAt(visitor) : instant, ids);
  settleQueues(work);
  return selectedProfile(work.record) as Profile;
};

/** The key that is retired when a session continues under the same id with another person. */
const personKey = ({ id, kind, personId }: { id: string; kind: string; personId: string }) =>
  `${id} ${kind} ${personId}`;

/** The keys under which a Live Chat session may have been retired. */
export const retirementKeys = (session: LiveChatSession): string[] => [session.id, personKey(session)];

/** Ends the Live Chat session that a tab saw before (`left`). */
export const liveChatLeft = (work: UnitOfWork, left: string, at: number, ids: Ids): void => {
  work.retire.push(left);
  if (work.record.liveChat?.id !== left) return;
  forgetTimeAhead(work);
  work.record = { ...work.record, liveChat: null };
  selectNewVisitor(work, instantOf(work.record, at, work.now), ids);
  settleQueues(work);
};

/** Applies a session that Live Chat reports: a chat, an authentication, a new token, another person. */
export const liveChatTold = (
  work: UnitOfWork,
  session: LiveChatSession,
  at: number,
  retired: ReadonlySet<string>,
): void => {
  const isRetired = (key: string) => retired.has(key) || work.retire.includes(key);
  if (retirementKeys(session).some(isRetired)) return;
  const current = work.record.liveChat;
  const next: Profile = { kind: session.kind, id: session.personId };
  const samePerson = current !== null && sameProfile({ kind: current.kind, id: current.personId }, next);
  if (current && current.id === session.id && !samePerson) {
    // This tab is behind: an authenticated user does not become a lead again.
    if (current.kind === "authenticated" && session.kind === "lead") return;
    work.retire.push(personKey(current));
  }
  if (current && current.id !== session.id) work.retire.push(current.id);
  const { id, kind, personId } = session;
  work.record = { ...work.record, liveChat: { id, kind, personId } };
  if (!samePerson) {
    forgetTimeAhead(work);
    const instant = instantOf(work.record, at, work.now);
    // A visitor merges into the person. Another person never does.
    if (current) select(work, next, instant, false);
    else selectAfterVisitor(work, next, instant);
    settleQueues(work);
  }
  work.record = withProfileQueue(work.record, next, (queue) =>
    queue.liveChatToken === session.token
      ? queue
      : { ...withClosedBreaker(queue), liveChatToken: session.token },
  );
};
