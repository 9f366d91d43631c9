/**
 * Decides what remains after an erase: the choice to opt out, the retired Live Chat sessions, and a new visitor. Pure.
 */
import type { Ids, Snapshot, WriteSet } from "../ports.js";
import { ensureProfile } from "../record/profile-selection.js";
import { unitOfWorkOn, writeSetOf } from "../record/unit-of-work.js";
import type { TrackerRecord } from "../tracker-record.js";
import { emptyRecord } from "../tracker-record.js";

export const erased = ({ record }: Snapshot, now: number, ids: Ids): WriteSet => {
  const { consent, connection, nextSeq } = record;
  const { retryAfter } = record.delivery;
  const empty = emptyRecord();
  const cleared: TrackerRecord = {
    ...empty,
    generation: Math.max(record.generation + 1, now),
    consent,
    connection,
    nextSeq,
    // `Retry-After` is about this browser, and no data of the visitor's.
    delivery: { ...empty.delivery, ...(retryAfter && { retryAfter }) },
  };
  const work = unitOfWorkOn(cleared, now);
  ensureProfile(work, now, ids);
  const retire = record.liveChat ? [record.liveChat.id] : [];
  return { ...writeSetOf(work), retire, erase: true };
};
