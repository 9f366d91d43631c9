/**
 * The right to send: one record that every host of the origin sees, renewed before each request and while it is under
 * way, so that a holder that died or was suspended is soon followed by another host.
 *
 * A host that accepts events takes it in the same transaction, for when they are due: until then it is a reservation, and
 * whoever has to send earlier takes it away. So a host that is alone delivers without a transaction for the lease. Pure.
 */
import { SECOND } from "../../protocol/wire.js";
import type { Lease, TrackerRecord } from "../tracker-record.js";
import { pending } from "./pending.js";
import type { Plan } from "./plan.js";
import { planOf } from "./plan.js";

/** So long what waits is held up by a holder that died. A request may take longer: the lease is renewed meanwhile. */
export const LEASE_MS = 5 * SECOND;
/** Time for a few tries, on a slow disk too; most requests are answered before the first. */
export const RENEWAL_MS = 1 * SECOND;
/** How often to look whether another host still sends. */
export const BUSY_RECHECK_MS = 1 * SECOND;
/** So far apart the clocks of two hosts may be: a reservation is not taken away so shortly before it starts. */
const CLOCKS_APART_MS = 50;

/** Who takes the lease, and whether it sends with the Web Lock in hand. */
export interface Claimant {
  hostId: string;
  underLock: boolean;
}

const activeUntil = ({ takenAt, startsAt = 0, expiresAt }: Lease, now: number): number | null =>
  now < startsAt ? null : pending(takenAt, expiresAt, now);

/** Whether some host has the right to send now. */
export const isLeased = ({ lease }: TrackerRecord, now: number): boolean =>
  lease !== null && activeUntil(lease, now) !== null;

/** When the lease starts that somebody has reserved. */
const reservedFor = ({ lease }: TrackerRecord, now: number): number | null =>
  lease?.startsAt === undefined ? null : pending(lease.takenAt, lease.startsAt, now);

export const holdsLease = ({ lease }: TrackerRecord, hostId: string): boolean => lease?.holder === hostId;

/** Whether this host may take the lease now: nobody else has it, or will have it in a moment. */
export const mayTakeLease = (record: TrackerRecord, hostId: string, now: number): boolean => {
  if (holdsLease(record, hostId)) return true;
  const startsAt = reservedFor(record, now);
  return !isLeased(record, now) && (startsAt === null || now < startsAt - CLOCKS_APART_MS);
};

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

/**
 * The lease alone counts: this host has the Web Lock, and was suspended perhaps as it stole it, so that it may have taken it
 * from whoever has the lease by now.
 */
export const withoutLock = (record: TrackerRecord): TrackerRecord => {
  if (!record.lease?.underLock) return record;
  const { underLock: _, ...lease } = record.lease;
  return { ...record, lease };
};

/**
 * Takes the lease where something is to be sent, now or once it is due, and no other host will. What is being sent, or
 * reserved for that moment, stays as it is.
 */
export const withClaim = (record: TrackerRecord, claimant: Claimant, now: number): TrackerRecord => {
  const { hostId, underLock } = claimant;
  const plan = planOf(record, now);
  if (plan.kind === "send") {
    const isSending = holdsLease(record, hostId) && isLeased(record, now);
    if (isSending || !mayTakeLease(record, hostId, now)) return record;
    return withLease(record, hostId, now, underLock);
  }
  const startsAt = reservedFor(record, now) ?? Infinity;
  if (plan.kind !== "gather" || isLeased(record, now) || startsAt <= plan.until) return record;
  const { lease, ...rest } = withLease(record, hostId, now, underLock);
  return { ...rest, lease: lease && { ...lease, startsAt: plan.until, expiresAt: plan.until + LEASE_MS } };
};

/** Whether what was read together with this record may be sent. */
export const maySend = (record: TrackerRecord, hostId: string, now: number): boolean =>
  holdsLease(record, hostId) && isLeased(record, now) && planOf(record, now).kind === "send";

export interface Turn {
  record: TrackerRecord;
  plan: Plan;
}

/** Decides the holder's next turn: it renews the lease in order to send, keeps it for what is due later, or releases it. */
export const nextTurn = (record: TrackerRecord, claimant: Claimant, now: number): Turn => {
  const { hostId } = claimant;
  // Somebody took it over, or erased everything: this host sends nothing more on its own.
  if (!holdsLease(record, hostId)) {
    const left = claimant.underLock ? withoutLock(record) : record;
    return { record: left, plan: { kind: "wait", until: now + BUSY_RECHECK_MS } };
  }
  const plan = planOf(record, now);
  if (plan.kind === "send") return { plan, record: withLease(record, hostId, now) };
  return { plan, record: withClaim({ ...record, lease: null }, claimant, now) };
};
