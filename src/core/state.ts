/** Makes the state that pages see, from the tracker record and what the host knows. */
import type { TrackerState } from "../protocol/api.js";
import type { HostState } from "../protocol/host.js";
import { isBreakerOpen } from "./delivery/circuit-breaker.js";
import { isLeased } from "./delivery/lease.js";
import { planOf } from "./delivery/plan.js";
import { rejectedIn, sameProfile, waitingIn } from "./record/profile-queues.js";
import { iso } from "./time.js";
import type { CircuitBreaker, SessionRecord, TrackerRecord } from "./tracker-record.js";
import { isOptedOut, selectedProfile } from "./tracker-record.js";

export interface HostFacts {
  storage: "disk" | "memory";
  online: boolean;
}

const sessionState = ({ id, startedAt, lastActivityAt, expiresAt }: SessionRecord) => ({
  id,
  startedAt: iso(startedAt),
  lastActivityAt: iso(lastActivityAt),
  expiresAt: iso(expiresAt),
});

/** Returns the open circuit breaker of the key, of the selected profile, or of all profiles that wait. */
const openBreakerOf = (record: TrackerRecord, now: number): CircuitBreaker | undefined => {
  const selected = selectedProfile(record);
  const waiting = record.lanes.filter((queue) => queue.waiting > 0);
  const isAll = waiting.every(({ stop }) => isBreakerOpen(stop, now));
  const breakers = record.lanes
    .filter((queue) => sameProfile(queue.profile, selected) || (isAll && queue.waiting > 0))
    .map(({ stop }) => stop);
  return [record.delivery.keyStop, ...breakers].find((breaker) => isBreakerOpen(breaker, now));
};

const deliveryState = (record: TrackerRecord, now: number): TrackerState["delivery"] => {
  const plan = planOf(record, now);
  const open = openBreakerOf(record, now);
  if (open) return { status: "stopped", nextAttemptAt: iso(open.trialAt), lastError: open.error };
  // One profile is stopped while others are delivered.
  const ofOthers = record.lanes.find((queue) => queue.waiting > 0 && isBreakerOpen(queue.stop, now))?.stop;
  const lastError = record.delivery.lastError ?? ofOthers?.error;
  const error = lastError && { lastError };
  if (plan.kind !== "idle" && isLeased(record, now)) return { status: "sending", ...error };
  if (plan.kind === "wait") return { status: "retrying", nextAttemptAt: iso(plan.until), ...error };
  return { status: "idle", ...error };
};

export const stateOf = (record: TrackerRecord, facts: HostFacts, now: number): HostState => ({
  storage: facts.storage,
  online: facts.online,
  optedOut: isOptedOut(record),
  profile: selectedProfile(record),
  session: record.session && sessionState(record.session),
  outbox: { waiting: waitingIn(record), rejected: rejectedIn(record) },
  delivery: deliveryState(record, now),
});
