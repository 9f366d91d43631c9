/**
 * An attempt before its time, because a page is online again, or a browser was started whose back-off is of its former
 * run: what waits is sent now, and every circuit breaker gets its probe request. A browser makes at most one in 5 s, however many pages and hosts report it, for the record keeps
 * when the last one was. What is reported within those 5 s is not lost: the attempt comes at their end. Pure.
 */
import { SECOND } from "../../protocol/wire.js";
import type { TrackerRecord } from "../tracker-record.js";
import { backedOffUntil, withoutRetry } from "./back-off.js";
import { withHalfOpenBreakers } from "./circuit-breaker.js";
import { withAllDue } from "./due.js";
import { pending } from "./pending.js";

const EARLY_ATTEMPT_INTERVAL_MS = 5 * SECOND;
/**
 * With it back-off goes on at 4 s at most: what comes a moment after the connection, a name server perhaps, is not
 * waited for in minutes, and a connection that comes and goes makes no storm of requests.
 */
const FAILURES_KEPT = 2;

/** Ends back-off and half-opens every circuit breaker: now, or 5 s after the last early attempt. Never `Retry-After`. */
export const withEarlyAttempt = (former: TrackerRecord, now: number): TrackerRecord => {
  const record = withAllDue(former);
  const { earlyAttemptAt: last } = record.delivery;
  const next = last === undefined ? null : pending(last, last + EARLY_ATTEMPT_INTERVAL_MS, now);
  if (last === undefined || next === null) return attemptedNow(record, now);
  return last > now ? record : scheduled(record, next);
};

/** Delivers what waits as a new host's first page attaches: nobody knows what the back-off that it finds was worth. */
export const withFirstAttempt = (record: TrackerRecord, now: number): TrackerRecord =>
  backedOffUntil(record.delivery, now) === null ? withAllDue(record) : withEarlyAttempt(record, now);

const withFewerFailures = (record: TrackerRecord, earlyAttemptAt: number): TrackerRecord => {
  const failures = Math.min(record.delivery.failures, FAILURES_KEPT);
  return { ...record, delivery: { ...record.delivery, failures, earlyAttemptAt } };
};

const attemptedNow = (record: TrackerRecord, now: number): TrackerRecord =>
  withFewerFailures(withHalfOpenBreakers(withoutRetry(record)), now);

/** What is decided until then by a request that is under way heeds it too: see `withFailure`. */
const scheduled = (record: TrackerRecord, at: number): TrackerRecord => {
  const { retry, keyStop } = record.delivery;
  const delivery = {
    ...record.delivery,
    ...(retry && { retry: { ...retry, nextAt: Math.min(retry.nextAt, at) } }),
    ...(keyStop && { keyStop: { ...keyStop, trialAt: Math.min(keyStop.trialAt, at) } }),
  };
  const lanes = record.lanes.map((queue) =>
    queue.stop ? { ...queue, stop: { ...queue.stop, trialAt: Math.min(queue.stop.trialAt, at) } } : queue,
  );
  return withFewerFailures({ ...record, delivery, lanes }, at);
};
