/**
 * Which profile is selected: the visitor, the lead or the authenticated user, by what the tabs' Live Chat tells.
 *
 * Every tab tells of the same change sooner or later, and some of what is long past. A change takes effect once: a Live
 * Chat session that was left is retired for good, and `null` ends only the session that the telling tab saw before.
 */
import type { LiveChatSession, Profile } from "../protocol/api.js";
import { VISITOR_LIFETIME_MS } from "../protocol/wire.js";
import type { Draft } from "./draft.js";
import { append, appendMark, bookOf, endDueSession } from "./draft.js";
import { sameProfile, withLane, withoutIdleLanes, withoutStop } from "./lanes.js";
import type { Ids } from "./ports.js";
import { endAt, latestKnown } from "./session-clock.js";
import { iso } from "./time.js";
import type { Selection, TrackerRecord } from "./tracker-record.js";
import { selectedProfile } from "./tracker-record.js";

/** Late activity finds its profile among this many changes. */
const SELECTIONS_KEPT = 100;

/** When profiles changed without a merge, ascending: no session reaches across one. */
export const erasOf = (record: TrackerRecord): number[] =>
  // Before the first one there was nobody else: tabs that race at the first visit are all its own.
  record.selections
    .slice(1)
    .filter(({ merges }) => !merges)
    .map(({ selectedAt }) => selectedAt);

/** The profile that was selected at an instant; the oldest that is remembered where it is further back. */
export const profileAt = (record: TrackerRecord, at: number): Profile | null =>
  (record.selections.findLast(({ selectedAt }) => selectedAt <= at) ?? record.selections[0])?.profile ?? null;

const goneAt = (visitor: { lastActivityAt: number }): number => visitor.lastActivityAt + VISITOR_LIFETIME_MS;

/** Selects a profile. What does not merge ends the session at that moment. */
const select = (draft: Draft, next: Profile, moment: number, merges: boolean): void => {
  const before = selectedProfile(draft.record);
  const at = Math.min(moment, draft.now);
  if (merges) {
    endDueSession(draft, at);
  } else if (before) {
    const { book, ended } = endAt(bookOf(draft.record), at);
    draft.record = { ...draft.record, ...book };
    if (ended) appendMark(draft, before, { kind: "end", session: ended });
  }
  // Activity that was accepted before stays before the change, whatever the clocks of the tabs say.
  const selectedAt = Math.max(
    at,
    latestKnown(bookOf(draft.record), []),
    draft.record.selections.at(-1)?.selectedAt ?? 0,
  );
  const selection: Selection = { profile: next, selectedAt, merges };
  draft.record = {
    ...draft.record,
    selections: [...draft.record.selections, selection].slice(-SELECTIONS_KEPT),
  };
  const { visitor } = draft.record;
  if (merges && visitor?.hasOperations && at <= goneAt(visitor)) {
    append(draft, next, {
      id: `m-${visitor.id.replaceAll("-", "")}`,
      type: "profile.merge",
      occurredAt: iso(selectedAt),
      from: { kind: "visitor", id: visitor.id },
    });
    draft.record = withLane(draft.record, { kind: "visitor", id: visitor.id }, (lane) => ({
      ...lane,
      merging: true,
    }));
  }
  if (next.kind !== "visitor") draft.record = { ...draft.record, visitor: null };
  draft.record = withoutIdleLanes(withLane(draft.record, next, (lane) => lane));
};

const selectNewVisitor = (draft: Draft, moment: number, ids: Ids): void => {
  const id = ids.uuid();
  select(draft, { kind: "visitor", id }, moment, false);
  draft.record = { ...draft.record, visitor: { id, lastActivityAt: draft.now, hasOperations: false } };
};

/** Makes a visitor where no profile is selected, and a new one where the visitor has outlived its last activity. */
export const ensureProfile = (draft: Draft, at: number, ids: Ids): Profile => {
  const { visitor } = draft.record;
  const selected = selectedProfile(draft.record);
  if (!selected) {
    selectNewVisitor(draft, at, ids);
  } else if (visitor && Math.min(at, draft.now) > goneAt(visitor)) {
    endDueSession(draft, at);
    selectNewVisitor(draft, goneAt(visitor), ids);
  }
  return selectedProfile(draft.record) as Profile;
};

/** What is retired when a session's id goes on with another person. */
const personKey = ({ id, kind, personId }: { id: string; kind: string; personId: string }) =>
  `${id} ${kind} ${personId}`;

/** The keys under which a Live Chat session may stand among the retired ones. */
export const retirementKeys = (session: LiveChatSession): string[] => [session.id, personKey(session)];

/** Live Chat says that the session which this tab saw (`left`) is over. */
export const liveChatLeft = (draft: Draft, left: string, moment: number, ids: Ids): void => {
  if (draft.record.liveChat?.id !== left) return;
  draft.retire.push(left);
  draft.record = { ...draft.record, liveChat: null };
  selectNewVisitor(draft, moment, ids);
};

/** Live Chat tells of a session: a chat, an authentication, a new token, another person. */
export const liveChatTold = (
  draft: Draft,
  session: LiveChatSession,
  moment: number,
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
  // From the visitor what came before merges; from another person nothing does.
  if (!samePerson) select(draft, next, moment, current === null);
  draft.record = withLane(draft.record, next, (lane) =>
    lane.liveChatToken === session.token ? lane : { ...withoutStop(lane), liveChatToken: session.token },
  );
};
