import type { TrackerRecord } from "../tracker-record.js";

/** Answers to what was sent before must not settle a row that has come to have the same number. */
export const SEQ_GAP = 1_000_000;

/** What an emptied database must not forget: where to deliver to, consent, the erases, and which numbers were used. */
export const withKnown = (record: TrackerRecord, known: TrackerRecord | null): TrackerRecord => {
  if (record.connection || !known?.connection) return record;
  const { connection, consent, generation, nextSeq, delivery } = known;
  const { retryAfter } = delivery;
  return {
    ...record,
    connection,
    consent,
    generation,
    nextSeq: nextSeq + SEQ_GAP,
    delivery: { ...record.delivery, ...(retryAfter && { retryAfter }) },
  };
};
