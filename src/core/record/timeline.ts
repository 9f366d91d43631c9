/**
 * Finds the latest instant that is known to have passed, and the profile that was selected at an instant.
 *
 * A wall clock can be set back; the record's time never goes back. While the clock is a little behind, everything is recorded
 * that much later. If it is far behind, somebody has set it, and the time ahead is forgotten.
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

/** Converts the time `at` that a page gives to the record's time: never ahead of the clock, and never back with it. */
export const instantOf = (record: TrackerRecord, at: number, now: number): number =>
  Math.min(at, now) + Math.max(0, latestKnown(record) - now);

/** The profile boundaries, ascending: when profiles changed without a merge. No session reaches across one. */
export const profileBoundaries = ({ selections }: TrackerRecord): number[] =>
  // The first selection is no boundary, because there was no profile before it. Tabs race at the first visit.
  selections
    .slice(1)
    .filter(({ merges }) => !merges)
    .map(({ selectedAt }) => selectedAt);

/** Returns the oldest selection for an instant before all selections that are kept. */
const selectionIndexAt = ({ selections }: TrackerRecord, at: number): number =>
  Math.max(
    0,
    selections.findLastIndex(({ selectedAt }) => selectedAt <= at),
  );

/** The profile that was selected at an instant. */
export const profileAt = (record: TrackerRecord, at: number): Profile | null =>
  record.selections[selectionIndexAt(record, at)]?.profile ?? null;

/** The profile into which the one that was selected at an instant has merged since, or that profile itself. */
export const personSince = (record: TrackerRecord, at: number): Profile | null => {
  const { selections } = record;
  let index = selectionIndexAt(record, at);
  while (selections[index + 1]?.merges) index += 1;
  return selections[index]?.profile ?? null;
};

/** The profile into which a profile had merged before an instant, or that profile itself. */
export const mergedBefore = ({ selections }: TrackerRecord, profile: Profile, instant: number): Profile => {
  const own = selections.findLastIndex((selection) => sameProfile(selection.profile, profile));
  const next = own < 0 ? undefined : selections[own + 1];
  return next?.merges && next.selectedAt < instant ? next.profile : profile;
};
