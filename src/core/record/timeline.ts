/**
 * Tells which instants are known to have passed, and which profile was selected when.
 *
 * A wall clock can be set back; the record's time never goes back. While the clock is a little behind, what happens is
 * taken to happen as much later. Where it is far behind, somebody set it, and the time ahead is forgotten.
 */
import type { Profile } from "../../protocol/api.js";
import { MINUTE } from "../../protocol/wire.js";
import type { TrackerRecord } from "../tracker-record.js";
import { sameProfile } from "./profile-queues.js";

/** A clock that is further behind than this was set back by hand. */
const CLOCK_TOLERANCE_MS = 30 * MINUTE;

/** The latest instant that is known to have passed. */
export const latestKnown = ({ selections, session, pastSessions }: TrackerRecord): number =>
  Math.max(
    selections.at(-1)?.selectedAt ?? 0,
    session?.lastActivityAt ?? 0,
    ...pastSessions.map(({ endedAt = 0 }) => endedAt),
  );

export const isClockSetBack = (record: TrackerRecord, now: number): boolean =>
  now < latestKnown(record) - CLOCK_TOLERANCE_MS;

/** When something happened of which a page says that it was at `at`: not ahead of the clock, nor behind with it. */
export const instantOf = (record: TrackerRecord, at: number, now: number): number =>
  Math.min(at, now) + Math.max(0, latestKnown(record) - now);

/** The profile boundaries, ascending: when profiles changed without a merge. No session reaches across one. */
export const profileBoundaries = ({ selections }: TrackerRecord): number[] =>
  // Before the first one there was nobody else: tabs that race at the first visit are all its own.
  selections
    .slice(1)
    .filter(({ merges }) => !merges)
    .map(({ selectedAt }) => selectedAt);

/** Where it is further back than what is remembered, the oldest selection. */
const selectionIndexAt = ({ selections }: TrackerRecord, at: number): number =>
  Math.max(
    0,
    selections.findLastIndex(({ selectedAt }) => selectedAt <= at),
  );

/** The profile that was selected at an instant. */
export const profileAt = (record: TrackerRecord, at: number): Profile | null =>
  record.selections[selectionIndexAt(record, at)]?.profile ?? null;

/** Who the profile that was selected at an instant is by now: the one that it has merged into. */
export const personSince = (record: TrackerRecord, at: number): Profile | null => {
  const { selections } = record;
  let index = selectionIndexAt(record, at);
  while (selections[index + 1]?.merges) index += 1;
  return selections[index]?.profile ?? null;
};

/** Who a profile is at an instant: itself, or the one that it has merged into before. */
export const mergedBefore = ({ selections }: TrackerRecord, profile: Profile, instant: number): Profile => {
  const own = selections.findLastIndex((selection) => sameProfile(selection.profile, profile));
  const next = own < 0 ? undefined : selections[own + 1];
  return next?.merges && next.selectedAt < instant ? next.profile : profile;
};
