/** Counters and credentials for each profile that has rows or is selected; how many there are is bounded by the rows. */
import type { Profile } from "../protocol/api.js";
import type { Lane, TrackerRecord } from "./tracker-record.js";
import { selectedProfile } from "./tracker-record.js";

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

/** Live Chat tokens and registrations are kept until nothing of their profile waits. */
export const withoutIdleLanes = (record: TrackerRecord): TrackerRecord => {
  const selected = selectedProfile(record);
  return {
    ...record,
    lanes: record.lanes.filter(
      (lane) => lane.waiting > 0 || lane.rejected > 0 || lane.merging || sameProfile(lane.profile, selected),
    ),
  };
};

export const withoutStop = ({ stop: _, ...lane }: Lane): Lane => lane;

export const waitingIn = (record: TrackerRecord): number =>
  record.lanes.reduce((sum, lane) => sum + lane.waiting, 0);
export const rejectedIn = (record: TrackerRecord): number =>
  record.lanes.reduce((sum, lane) => sum + lane.rejected, 0);
