/** Counters and credentials for each profile that has rows, is selected, or may get late activity. */
import type { Profile } from "../../protocol/api.js";
import type { Lane, TrackerRecord } from "../tracker-record.js";
import { selectedProfile } from "../tracker-record.js";

export const sameProfile = (a: Profile | null, b: Profile | null): boolean =>
  a?.kind === b?.kind && a?.id === b?.id;

export const laneOf = (record: TrackerRecord, profile: Profile): Lane =>
  record.lanes.find((lane) => sameProfile(lane.profile, profile)) ?? { profile, waiting: 0, rejected: 0 };

/** Changes a profile's lane, making it where there is none; drops the lanes that nothing needs any more. */
export const withLane = (
  record: TrackerRecord,
  profile: Profile,
  change: (lane: Lane) => Lane,
): TrackerRecord => {
  const changed = change(laneOf(record, profile));
  const known = record.lanes.some((lane) => sameProfile(lane.profile, profile));
  const lanes = known
    ? record.lanes.map((lane) => (sameProfile(lane.profile, profile) ? changed : lane))
    : [...record.lanes, changed];
  return { ...record, lanes };
};

/**
 * Registrations are kept while something of their profile waits. A person's Live Chat token is kept for as long as late
 * activity (a slow tab, a journal found days later) may find that person among the selections: it can be had only once.
 */
export const withoutIdleLanes = (record: TrackerRecord): TrackerRecord => {
  const selected = selectedProfile(record);
  const isRemembered = (profile: Profile): boolean =>
    record.selections.some((selection) => sameProfile(selection.profile, profile));
  return {
    ...record,
    lanes: record.lanes.flatMap((lane): Lane[] => {
      const { profile, waiting, rejected, merging, liveChatToken } = lane;
      if (waiting > 0 || rejected > 0 || merging || sameProfile(profile, selected)) return [lane];
      if (liveChatToken === undefined || !isRemembered(profile)) return [];
      return [{ profile, waiting, rejected, liveChatToken }];
    }),
  };
};

/** The service does not register this profile, without which what waits for the other, or the same, cannot be sent. */
export const withUnregistered = (
  record: TrackerRecord,
  waiting: Profile,
  unregistered: Profile,
): TrackerRecord => withLane(record, waiting, (lane) => ({ ...lane, unregistered }));

/** The service has registered it. */
export const withoutUnregistered = (record: TrackerRecord, registered: Profile): TrackerRecord => ({
  ...record,
  lanes: record.lanes.map(({ unregistered, ...lane }) =>
    unregistered && !sameProfile(unregistered, registered) ? { ...lane, unregistered } : lane,
  ),
});

export const withoutStop = ({ stop: _, ...lane }: Lane): Lane => lane;

export const waitingIn = (record: TrackerRecord): number =>
  record.lanes.reduce((sum, lane) => sum + lane.waiting, 0);
export const rejectedIn = (record: TrackerRecord): number =>
  record.lanes.reduce((sum, lane) => sum + lane.rejected, 0);
