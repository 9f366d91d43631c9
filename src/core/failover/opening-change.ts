import type { WriteSet } from "../ports.js";
import { withRowCounts } from "../record/profile-queues.js";
import type { TrackerRecord } from "../tracker-record.js";
import { emptyRecord } from "../tracker-record.js";
import { SEQ_GAP } from "./emptied-disk.js";

/**
 * What memory begins with: the same visitor, profile and session, and the new rows of a commit in doubt. All other rows
 * are the disk's.
 */
export const openingChange = (
  known: TrackerRecord | null,
  retiredSessions: Iterable<string>,
  { put = [], pages = [], retire = [] }: WriteSet = {},
  firstNewSeq = 0,
): WriteSet => {
  const record = known ?? emptyRecord();
  const rows = put.filter(({ seq }) => seq >= firstNewSeq).map((row) => ({ ...row, seq: row.seq + SEQ_GAP }));
  const lanes = record.lanes.map((queue) => ({ ...queue, waiting: 0, rejected: 0 }));
  return {
    record: withRowCounts({ ...record, nextSeq: record.nextSeq + SEQ_GAP, lanes, lease: null }, rows),
    put: rows,
    pages,
    retire: [...retiredSessions, ...retire],
  };
};
