/** Profile queues: counters and credentials of each profile that has rows, is selected, or may get late activity. */
import type { OutboxRow, Profile } from "../../protocol/api.js";
import type { ProfileQueue, TrackerRecord } from "../tracker-record.js";
import { selectedProfile } from "../tracker-record.js";

export const sameProfile = (a: Profile | null, b: Profile | null): boolean =>
  a?.kind === b?.kind && a?.id === b?.id;

export const profileQueueOf = (record: TrackerRecord, profile: Profile): ProfileQueue =>
  record.lanes.find((queue) => sameProfile(queue.profile, profile)) ?? { profile, waiting: 0, rejected: 0 };

/** Changes a profile's queue. Creates the queue if there is none. */
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
 * Removes the queues that nothing needs any more. A registration is kept while something of its profile waits. A person's Live
 * Chat token is kept while that person is among the selections, because late activity (a slow tab, a journal found days
 * later) may need it and Live Chat reports it only once.
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

/** Records that the service does not register a profile which the waiting rows of a queue need. */
export const withUnregistered = (
  record: TrackerRecord,
  waiting: Profile,
  unregistered: Profile,
): TrackerRecord => withProfileQueue(record, waiting, (queue) => ({ ...queue, unregistered }));

/** Records that the service has registered a profile. */
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
