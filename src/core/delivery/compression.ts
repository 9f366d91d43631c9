/**
 * Whether batches travel compressed. Some proxies decode bodies, or drop the header that says how they are encoded, and
 * the service then refuses what it cannot read. So a compressed batch that is refused raises a doubt: it goes once more
 * uncompressed. If the service reads it then, this browser sends nothing compressed to this endpoint for a day. Pure.
 */
import type { OutboxRow } from "../../protocol/api.js";
import { DAY } from "../../protocol/wire.js";
import type { WireAnswer } from "../ports.js";
import type { DeliveryRecord, TrackerRecord } from "../tracker-record.js";
import type { Verdict } from "./answers.js";
import { pending } from "./pending.js";

/** Networks change: by then this browser may be behind another proxy. */
const UNCOMPRESSED_MS = 1 * DAY;

/** Whether the batch that begins with this row may travel compressed. */
export const mayCompress = (
  { compressionDoubt, uncompressed }: DeliveryRecord,
  { seq }: OutboxRow,
  now: number,
): boolean =>
  compressionDoubt?.seq !== seq &&
  (!uncompressed || pending(uncompressed.decidedAt, uncompressed.endsAt, now) === null);

/** The service could not read the body, or a proxy would not pass it on. A dead service does not answer so. */
const isUnreadable = ({ status }: WireAnswer, { kind }: Verdict): boolean =>
  kind === "refused" || (kind === "failed" && (status === 400 || status === 415));

/**
 * Whether the compression may be all that was wrong.
 *
 * @param passes Compression is known to pass: then a refused batch holds a culprit and is halved. Once that is alone, it
 *   is not rejected on this knowledge.
 */
export const doubtsCompression = (
  answer: WireAnswer,
  verdict: Verdict,
  rows: readonly OutboxRow[],
  passes: boolean,
): boolean => {
  if (!answer.compressed || !isUnreadable(answer, verdict)) return false;
  if (verdict.kind === "failed" || rows.length === 1) return true;
  // Uncompressed, what is too large is larger.
  return !passes && answer.status !== 413;
};

/** Whether the answer shows that compression passes, or at least that the refusal is not due to it. */
export const clearsCompression = (answer: WireAnswer, { kind }: Verdict): boolean =>
  answer.compressed ? kind === "settled" : kind === "refused";

/** Keeps a doubt, or what the uncompressed request has made of it. */
export const withCompressionJudged = (
  record: TrackerRecord,
  rows: readonly OutboxRow[],
  answer: WireAnswer,
  verdict: Verdict,
  isDoubtful: boolean,
  now: number,
): TrackerRecord => {
  const [first] = rows;
  const { compressionDoubt: doubt, ...delivery } = record.delivery;
  if (!first) return record;
  if (isDoubtful) {
    return { ...record, delivery: { ...delivery, compressionDoubt: { seq: first.seq, doubtedAt: now } } };
  }
  if (answer.compressed || doubt?.seq !== first.seq) return record;
  if (verdict.kind === "settled" && verdict.results.has(first.id)) {
    const uncompressed = { decidedAt: now, endsAt: now + UNCOMPRESSED_MS };
    return { ...record, delivery: { ...delivery, uncompressed } };
  }
  return isUnreadable(answer, verdict) ? { ...record, delivery } : record;
};

/** Another endpoint is reached by another way. */
export const withoutCompressionJudged = ({
  compressionDoubt: _,
  uncompressed: __,
  ...delivery
}: DeliveryRecord): DeliveryRecord => delivery;
