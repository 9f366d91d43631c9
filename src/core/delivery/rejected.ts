/** What a person who looks at the rejected rows can do: send them again, or let them go. */
import type { OutboxRow } from "../../protocol/api.js";
import type { TrackerStore } from "../ports.js";
import { withoutIdleQueues, withProfileQueue } from "../record/profile-queues.js";
import { withAllDue } from "./due.js";
import { withoutMerging } from "./settle.js";

/** Rows in one transaction, so that others get their turn. */
const CHUNK = 1_000;

const requeued = ({ error: _, ...row }: OutboxRow): OutboxRow => ({ ...row, state: "waiting" });

/** Applies to the rejected rows with these ids, or to all; answers how many there were. */
const forRejected = async (
  store: TrackerStore,
  ids: readonly string[] | undefined,
  fate: "requeue" | "discard",
): Promise<number> => {
  const wanted = ids && new Set(ids);
  let after = 0;
  let count = 0;
  for (;;) {
    const step = await store.commit({ rejected: { after, limit: CHUNK } }, (snapshot) => {
      const rows = snapshot.rejected.filter(({ id }) => !wanted || wanted.has(id));
      let { record } = snapshot;
      for (const row of rows) {
        record = withProfileQueue(record, row.profile, (queue) => ({
          ...queue,
          rejected: queue.rejected - 1,
          waiting: queue.waiting + (fate === "requeue" ? 1 : 0),
        }));
        if (fate === "discard" && row.type === "profile.merge") record = withoutMerging(record, row);
      }
      return {
        change:
          fate === "requeue"
            ? { record: withAllDue(record), put: rows.map(requeued) }
            : { record: withoutIdleQueues(record), remove: rows.map(({ seq }) => seq) },
        result: { last: snapshot.rejected.at(-1)?.seq, found: rows.length },
      };
    });
    count += step.found;
    if (step.last === undefined) return count;
    after = step.last;
  }
};

export const requeueRejected = (store: TrackerStore, ids?: readonly string[]): Promise<number> =>
  forRejected(store, ids, "requeue");

export const discardRejected = (store: TrackerStore, ids?: readonly string[]): Promise<number> =>
  forRejected(store, ids, "discard");
