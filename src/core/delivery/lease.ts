/**
 * The right to send: one record that every host of the origin sees, renewed before each request and while it is under
 * way, so that a holder that died or froze is soon followed by another host. Pure.
 */
import { SECOND } from "../../protocol/wire.js";
import type { TrackerRecord } from "../tracker-record.js";
import { pending } from "./pending.js";
import type { Plan } from "./plan.js";
import { planOf } from "./plan.js";

/** So long what waits is held up by a holder that died. A request may take longer: the lease is renewed meanwhile. */
export const LEASE_MS = 5 * SECOND;
/** Time for a few tries, on a slow disk too; most requests are answered before the first. */
export const RENEWAL_MS = 1 * SECOND;
/** How often to look whether another host still sends. */
export const BUSY_RECHECK_MS = 1 * SECOND;

/** Whether some host has the right to send now. */
export const isLeased = ({ lease }: TrackerRecord, now: number): boolean =>
  lease !== null && pending(lease.takenAt, lease.expiresAt, now) !== null;

export const holdsLease = ({ lease }: TrackerRecord, hostId: string): boolean => lease?.holder === hostId;

/** Renewed, it stays what it was taken as. */
export const withLease = (
  record: TrackerRecord,
  hostId: string,
  now: number,
  underLock = holdsLease(record, hostId) && record.lease?.underLock === true,
): TrackerRecord => ({
  ...record,
  lease: {
    holder: hostId,
    takenAt: now,
    expiresAt: now + LEASE_MS,
    ...(underLock && { underLock: true as const }),
  },
});

/** Whether what was read together with this record may be sent. */
export const maySend = (record: TrackerRecord, hostId: string, now: number): boolean =>
  holdsLease(record, hostId) && isLeased(record, now) && planOf(record, now).kind === "send";

export interface Turn {
  record: TrackerRecord;
  plan: Plan;
}

/** What the holder does next: renews the lease in order to send, lets go of it otherwise. */
export const nextTurn = (record: TrackerRecord, hostId: string, now: number): Turn => {
  // Somebody took it over, or erased everything: this host sends nothing more on its own.
  if (!holdsLease(record, hostId)) return { record, plan: { kind: "wait", until: now + BUSY_RECHECK_MS } };
  const plan = planOf(record, now);
  return { plan, record: plan.kind === "send" ? withLease(record, hostId, now) : { ...record, lease: null } };
};
