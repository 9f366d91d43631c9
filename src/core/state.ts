/** The one small state object that every tab sees, from what the store keeps and what the host knows. */
import type { HostKind, TrackerState } from "../protocol/api.js";
import { isStopped, planOf } from "./gate.js";
import { rejectedIn, sameProfile, waitingIn } from "./lanes.js";
import { iso } from "./time.js";
import type { SessionRecord, TrackerRecord } from "./tracker-record.js";
import { isOptedOut, selectedProfile } from "./tracker-record.js";

export interface HostFacts {
  host: HostKind;
  storage: "disk" | "memory";
  online: boolean;
  sending: boolean;
}

const sessionState = ({ id, startedAt, lastActivityAt, expiresAt }: SessionRecord) => ({
  id,
  startedAt: iso(startedAt),
  lastActivityAt: iso(lastActivityAt),
  expiresAt: iso(expiresAt),
});

const deliveryState = (record: TrackerRecord, sending: boolean, now: number): TrackerState["delivery"] => {
  const { delivery, lanes } = record;
  const lastError = delivery.lastError && { lastError: delivery.lastError };
  const selected = selectedProfile(record);
  const plan = planOf(record, now);
  const isStoppedLane = lanes.some(
    (lane) => isStopped(lane.stop, now) && (plan.kind !== "send" || sameProfile(lane.profile, selected)),
  );
  if (isStopped(delivery.keyStop, now) || isStoppedLane) return { status: "stopped", ...lastError };
  if (sending) return { status: "sending", ...lastError };
  if (plan.kind === "wait") return { status: "retrying", nextAttemptAt: iso(plan.until), ...lastError };
  return { status: "idle", ...lastError };
};

export const stateOf = (record: TrackerRecord, facts: HostFacts, now: number): TrackerState => ({
  host: facts.host,
  storage: facts.storage,
  online: facts.online,
  optedOut: isOptedOut(record),
  profile: selectedProfile(record),
  session: record.session && sessionState(record.session),
  outbox: { waiting: waitingIn(record), rejected: rejectedIn(record) },
  delivery: deliveryState(record, facts.sending, now),
});
