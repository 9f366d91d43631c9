/** What hosts of a later version keep in the record, and earlier ones know nothing of. */
import type { TrackerRecord } from "../../src/core/tracker-record.js";

export const withLater = (record: TrackerRecord): TrackerRecord => ({ ...record, later: 1 }) as TrackerRecord;

export const hasLater = (record: TrackerRecord): boolean => "later" in record;
