/**
 * Which profile is selected: the visitor, the lead or the authenticated user, by what the tabs' Live Chat tells.
 *
 * Every tab tells of the same change sooner or later, and some of what is long past. A change takes effect once: a Live
 * Chat session that was left is retired for good, and `null` ends only the session that the telling tab saw before.
 */
import type { LiveChatSession, Profile } from "../../protocol/api.js";
import { VISITOR_LIFETIME_MS } from "../../protocol/wire.js";
import type { Draft } from "./draft.js";
import { append, endDueSession, endSessionAt, forgetTimeAhead } from "./draft.js";
import { sameProfile, withLane, withoutIdleLanes, withoutStop } from "./lanes.js";
import type { Ids } from "../ports.js";
import { iso } from "../time.js";
import { instantOf, latestKnown } from "./timeline.js";
import type { Selection } from "../tracker-record.js";
import { selectedProfile } from "../tracker-record.js";

/** Late activity finds its profile among this many changes. */
const SELECTIONS_KEPT = 100;

const goneAt = (visitor: { lastActivityAt: number }): number => visitor.lastActivityAt + VISITOR_LIFETIME_MS;

const withSelections = (draft: Draft, selections: readonly Selection[]): void => {
  const visitor = selections.at(-1)?.profile.kind === "visitor" ? draft.record.visitor : null;
  draft.record = { ...draft.record, visitor, selections: selections.slice(-SELECTIONS_KEPT) };
};

/** Selects a profile from an instant on. What does not merge ends the session there. */
const select = (draft: Draft, next: Profile, instant: number, merges: boolean): void => {
  // What was accepted before stays before the change, activity and other changes, whatever the clocks of the tabs say.
  const selectedAt = Math.max(instant, latestKnown(draft.record));
  if (merges) endDueSession(draft, selectedAt);
  else endSessionAt(draft, selectedAt);
  withSelections(draft, [...draft.record.selections, { profile: next, selectedAt, merges }]);
};

/** Selects the first person after a visitor: what the visitor did goes over into the person. */
const selectAfterVisitor = (draft: Draft, next: Profile, instant: number): void => {
  const { selections, visitor } = draft.record;
  const last = selections.at(-1);
  if (!visitor || !last) return select(draft, next, instant, false);
  if (instant > goneAt(visitor)) return select(draft, next, goneAt(visitor), false);
  // Nothing is to be merged: the person takes the visitor's place, and late activity of that time is the person's.
  if (!visitor.hasOperations) {
    return withSelections(draft, [...selections.slice(0, -1), { ...last, profile: next }]);
  }
  const from = { kind: "visitor", id: visitor.id } as const;
  select(draft, next, instant, true);
  append(draft, next, {
    id: `m-${from.id.replaceAll("-", "")}`,
    type: "profile.merge",
    // Not before what it merges, be it ahead of a clock that was set back: the service would refuse that afterwards.
    occurredAt: iso(Math.max(latestKnown(draft.record), visitor.latestOperationAt ?? 0)),
    from,
  });
  draft.record = withLane(draft.record, from, (lane) => ({ ...lane, merging: true }));
};

const selectNewVisitor = (draft: Draft, instant: number, ids: Ids): void => {
  const id = ids.uuid();
  select(draft, { kind: "visitor", id }, instant, false);
  draft.record = { ...draft.record, visitor: { id, lastActivityAt: draft.now, hasOperations: false } };
};

/** Every profile that is selected has a lane; one that is left keeps its own until nothing of it waits. */
const settleLanes = (draft: Draft): void => {
  const selected = selectedProfile(draft.record);
  if (selected) draft.record = withoutIdleLanes(withLane(draft.record, selected, (lane) => lane));
};

/** Makes a visitor where no profile is selected, and a new one where the visitor has outlived its last activity. */
export const ensureProfile = (draft: Draft, at: number, ids: Ids): Profile => {
  forgetTimeAhead(draft);
  const instant = instantOf(draft.record, at, draft.now);
  const { visitor } = draft.record;
  const selected = selectedProfile(draft.record);
  if (selected && !(visitor && instant > goneAt(visitor))) return selected;
  selectNewVisitor(draft, visitor ? goneAt(visitor) : instant, ids);
  settleLanes(draft);
  return selectedProfile(draft.record) as Profile;
};

/** What is retired when a session's id goes on with another person. */
const personKey = ({ id, kind, personId }: { id: string; kind: string; personId: string }) =>
  `${id} ${kind} ${personId}`;

/** The keys under which a Live Chat session may stand among the retired ones. */
export const retirementKeys = (session: LiveChatSession): string[] => [session.id, personKey(session)];

/** Live Chat says that the session which this tab saw (`left`) is over. */
export const liveChatLeft = (draft: Draft, left: string, at: number, ids: Ids): void => {
  draft.retire.push(left);
  if (draft.record.liveChat?.id !== left) return;
  forgetTimeAhead(draft);
  draft.record = { ...draft.record, liveChat: null };
  selectNewVisitor(draft, instantOf(draft.record, at, draft.now), ids);
  settleLanes(draft);
};

/** Live Chat tells of a session: a chat, an authentication, a new token, another person. */
export const liveChatTold = (
  draft: Draft,
  session: LiveChatSession,
  at: number,
  retired: ReadonlySet<string>,
): void => {
  const isRetired = (key: string) => retired.has(key) || draft.retire.includes(key);
  if (retirementKeys(session).some(isRetired)) return;
  const current = draft.record.liveChat;
  const next: Profile = { kind: session.kind, id: session.personId };
  const samePerson = current !== null && sameProfile({ kind: current.kind, id: current.personId }, next);
  if (current && current.id === session.id && !samePerson) {
    // A tab that is behind: who is authenticated does not become a lead again.
    if (current.kind === "authenticated" && session.kind === "lead") return;
    draft.retire.push(personKey(current));
  }
  if (current && current.id !== session.id) draft.retire.push(current.id);
  const { id, kind, personId } = session;
  draft.record = { ...draft.record, liveChat: { id, kind, personId } };
  if (!samePerson) {
    forgetTimeAhead(draft);
    const instant = instantOf(draft.record, at, draft.now);
    // From the visitor what came before merges; from another person nothing does.
    if (current) select(draft, next, instant, false);
    else selectAfterVisitor(draft, next, instant);
    settleLanes(draft);
  }
  draft.record = withLane(draft.record, next, (lane) =>
    lane.liveChatToken === session.token ? lane : { ...withoutStop(lane), liveChatToken: session.token },
  );
};
