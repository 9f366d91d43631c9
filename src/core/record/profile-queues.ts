/** Profile queues: counters and credentials of each profile that has rows, is selected, or may get late activity. */
import type { OutboxRow, Profile } from "../../protocol/api.js";
import type { ProfileQueue, TrackerRecord } from "../tracker-record.js";
import { selectedProfile } from "../tracker-record.js";

export const sameProfile = (a: Profile | null, b: Profile | null): boolean =>
  a?.kind === b?.kind && a?.id === b?.id;

export const profileQueueOf = (record: TrackerRecord, profile: Profile): ProfileQueue =>
  record.lanes.find((queue) => sameProfile(queue.profile, profile)) ?? { profile, waiting: 0, rejected: 0 };

/** Changes a profile's queue, and makes one where there is none. */
export const withProfileQueue = (
  record: TrackerRecord,
  profile: Profile,
  change: (queue: ProfileQueue) => ProfileQueue,
): TrackerRecord => {
  const changed = change(profileQueueOf(record, profile));
  const known = record.lanes.some((queue) => sameProfile(queue.profile, profile));
  const lanes = known
    ? record.lanes.map((queue) => (sameProfile(queue.profile, profile) ? changed : queue))
    : [...record.lanes, changed];
  return { ...record, lanes };
};

export const withRowCounts = (record: TrackerRecord, rows: readonly OutboxRow[]): TrackerRecord =>
  rows.reduce(
    (counted, { profile, state }) =>
      withProfileQueue(counted, profile, (queue) => ({ ...queue, [state]: queue[state] + 1 })),
    record,
  );

/**
 * Registrations are kept while something of their profile waits. A person's Live Chat token is kept for as long as late
 * activity (a slow tab, a journal found days later) may find that person among the selections: it can be had only once.
 */
export const withoutIdleQueues = (record: TrackerRecord): TrackerRecord => {
  const selected = selectedProfile(record);
  const isRemembered = (profile: Profile): boolean =>
    record.selections.some((selection) => sameProfile(selection.profile, profile));
  return {
    ...record,
    lanes: record.lanes.flatMap((queue): ProfileQueue[] => {
      const { profile, waiting, rejected, merging, liveChatToken } = queue;
      if (waiting > 0 || rejected > 0 || merging || sameProfile(profile, selected)) return [queue];
      if (liveChatToken === undefined || !isRemembered(profile)) return [];
      return [{ profile, waiting, rejected, liveChatToken }];
    }),
  };
};

/** Notes that the service does not register a profile which the waiting rows of another, or its own, need. */
export const withUnregistered = (
  record: TrackerRecord,
  waiting: Profile,
  unregistered: Profile,
): TrackerRecord => withProfileQueue(record, waiting, (queue) => ({ ...queue, unregistered }));

/** Notes that the service has registered a profile. */
export const withoutUnregistered = (record: TrackerRecord, registered: Profile): TrackerRecord => ({
  ...record,
  lanes: record.lanes.map(({ unregistered, ...queue }) =>
    unregistered && !sameProfile(unregistered, registered) ? { ...queue, unregistered } : queue,
  ),
});

export const withClosedBreaker = ({ stop: _, ...queue }: ProfileQueue): ProfileQueue => queue;

/** How many rows of these profiles wait. */
export const waitingOf = (record: TrackerRecord, profiles: readonly Profile[]): number =>
  profiles.reduce((sum, profile) => sum + profileQueueOf(record, profile).waiting, 0);

export const waitingIn = (record: TrackerRecord): number =>
  record.lanes.reduce((sum, queue) => sum + queue.waiting, 0);
export const rejectedIn = (record: TrackerRecord): number =>
  record.lanes.reduce((sum, queue) => sum + queue.rejected, 0);
