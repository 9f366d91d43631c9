/** Plans delivery: whether something may be sent now, and otherwise when. Pure. */
import type { ProfileQueue, TrackerRecord } from "../tracker-record.js";
import { isOptedOut } from "../tracker-record.js";
import { backedOffUntil, boundUntil, withoutBackOff } from "./back-off.js";
import { breakerOpenUntil, isBreakerOpen, withHalfOpenBreakers } from "./circuit-breaker.js";
import { withoutCompressionJudged } from "./compression.js";
import { firstDueAt } from "./due.js";

export type Plan =
  | { kind: "idle" }
  /** Nothing may be sent before. */
  | { kind: "wait"; until: number }
  /** Events wait for others until then. */
  | { kind: "gather"; until: number }
  | { kind: "send"; queues: ProfileQueue[] };

/** What delivery should do now. */
export const planOf = (record: TrackerRecord, now: number): Plan => {
  const waiting = record.lanes.filter((queue) => queue.waiting > 0);
  if (isOptedOut(record) || !record.connection || waiting.length === 0) return { kind: "idle" };
  const { delivery } = record;
  const bound = Math.max(
    boundUntil(delivery, now) ?? 0,
    backedOffUntil(delivery, now) ?? 0,
    breakerOpenUntil(delivery.keyStop, now) ?? 0,
  );
  if (bound > 0) return { kind: "wait", until: bound };
  const queues = waiting.filter(({ stop }) => !isBreakerOpen(stop, now));
  if (queues.length === 0) {
    return { kind: "wait", until: Math.min(...waiting.map(({ stop }) => stop?.trialAt ?? now)) };
  }
  const dueAt = firstDueAt(record, now);
  return dueAt === null ? { kind: "send", queues } : { kind: "gather", until: dueAt };
};

/** Forgets what the former service said, and how it was reached, because the endpoint or the key changed. */
export const withoutBounds = (record: TrackerRecord): TrackerRecord => {
  const free = withoutBackOff(withHalfOpenBreakers(record));
  const { retryAfter: _, ...delivery } = withoutCompressionJudged(free.delivery);
  const lanes = free.lanes.map(({ unregistered: __, ...queue }) => queue);
  return { ...free, delivery, lanes };
};
