/**
 * The sending loop: one sender at a time for the whole outbox, by lease, and by lock where there is one. All that must
 * outlive the host is in the record, so that any host can go on where another one died.
 */
import { MINUTE, SECOND } from "../../protocol/wire.js";
import type { LastKnownStore } from "../last-known.js";
import type { Hold, Ports } from "../ports.js";
import type { TrackerRecord } from "../tracker-record.js";
import type { Claimant, Turn } from "./lease.js";
import {
  BUSY_RECHECK_MS,
  holdsLease,
  isLeased,
  LEASE_MS,
  mayTakeLease,
  nextTurn,
  RENEWAL_MS,
  withClaim,
  withLease,
  withoutLock,
} from "./lease.js";
import type { Plan } from "./plan.js";
import { planOf } from "./plan.js";
import type { Registrar } from "./registrar.js";
import { Sender } from "./sender.js";

const STORE_RETRY_MS = 5 * SECOND;
/** Clocks are set, and hosts die before they tell what they stored: look again at least this often. */
const LONGEST_WAIT_MS = 15 * MINUTE;
/** Who has got the lock writes its lease within this: until then, the one that is expired is its predecessor's. */
const LEASE_WRITTEN_MS = 5 * SECOND;

export interface DeliveryPorts extends Ports {
  store: LastKnownStore;
}

export class Delivery {
  readonly #ports: DeliveryPorts;
  readonly #registrar: Registrar;
  readonly #hostId: string;
  readonly #onChange: () => void;
  #turning = false;
  #again = false;
  #closed = false;
  #timer: { at: number; cancel: () => void } | null = null;
  /** Since when, with something to send, the lock has been held elsewhere without a lease that counts. */
  #lockedOutSince: number | null = null;

  /** @param onChange Rows were settled, or the delivery's state changed. */
  constructor(ports: DeliveryPorts, registrar: Registrar, hostId: string, onChange: () => void) {
    this.#ports = ports;
    this.#registrar = registrar;
    this.#hostId = hostId;
    this.#onChange = onChange;
  }

  /** Takes the right to send what was just accepted, for when it is due, unless another host has it. */
  claim(record: TrackerRecord, now: number): TrackerRecord {
    return withClaim(record, this.#claimant, now);
  }

  /** Sends what may be sent now; comes back by itself when a time comes. */
  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    if (!this.#turning) void this.#turn();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#ports.transport.abortAll();
  }

  async #turn(): Promise<void> {
    const { clock } = this.#ports;
    this.#turning = true;
    let wakeAt = Infinity;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        const plan = await this.#drain();
        wakeAt = plan.kind === "wait" || plan.kind === "gather" ? plan.until : Infinity;
      } catch {
        // The store failed; what is in it stays, and storage may come back.
        wakeAt = clock.now() + STORE_RETRY_MS;
      }
    }
    this.#turning = false;
    if (!this.#closed) this.#wakeAt(wakeAt);
  }

  /** Sets the timer, unless it is set to that moment: the calls of a stream are due together. */
  #wakeAt(at: number): void {
    if (this.#timer?.at === at) return;
    this.#timer?.cancel();
    const { clock, store, timers } = this.#ports;
    const delay = Math.min(LONGEST_WAIT_MS, Math.max(0, at - clock.now()));
    const cancel = timers.after(delay, () => {
      this.#timer = null;
      // What another host has done since may have gone unheard, unless all that time this one had the right to send.
      const { lastKnown } = store;
      if (lastKnown && !holdsLease(lastKnown, this.#hostId)) store.forget();
      this.wake();
    });
    this.#timer = { at, cancel };
  }

  /** Sends until nothing may be sent; answers what to wait for. */
  async #drain(): Promise<Plan> {
    const { clock, store } = this.#ports;
    const before = await store.look();
    const plan = planOf(before, clock.now());
    if (plan.kind !== "send") {
      this.#lockedOutSince = null;
      // Another host sends it then; this one looks whether it did.
      const isOthers = plan.kind === "gather" && !holdsLease(before, this.#hostId);
      return isOthers ? { ...plan, until: plan.until + BUSY_RECHECK_MS } : plan;
    }
    const askedAt = clock.now();
    const hold = await this.#hold(before);
    if (!hold) return this.#busy();
    try {
      return await this.#sendUnderLease(before, askedAt);
    } finally {
      hold.release();
    }
  }

  /** What a host has accepted itself it sends by the lease that it took with it: the sender looks whether it has it still. */
  async #sendUnderLease(before: TrackerRecord, lockAskedAt: number): Promise<Plan> {
    const { changes, clock, lock } = this.#ports;
    const isClaimed = holdsLease(before, this.#hostId) && isLeased(before, clock.now());
    let turn: Turn | null = isClaimed
      ? { record: before, plan: planOf(before, clock.now()) }
      : await this.#takeLease(lock.exclusive ? lockAskedAt : null);
    if (!turn) return this.#busy();
    const sender = new Sender(this.#ports, this.#registrar, this.#claimant);
    this.#onChange();
    while (turn.plan.kind === "send" && !this.#closed) {
      turn = await this.#renewing(sender.send(turn.record, turn.plan.queues));
      changes.announce();
      this.#onChange();
    }
    if (turn.plan.kind === "send") await this.#letGo();
    return turn.plan;
  }

  /** Keeps the lease while a request is under way. */
  async #renewing(sending: Promise<Turn>): Promise<Turn> {
    let isOver = false;
    let cancelTimer: (() => void) | undefined;
    const renew = (): Promise<void> =>
      this.#changeOwnLease((record, now) => withLease(record, this.#hostId, now));
    const renewLater = (): void => {
      if (isOver) return;
      // Where the store fails, there is time for another try.
      cancelTimer = this.#ports.timers.after(RENEWAL_MS, () => void renew().then(renewLater, renewLater));
    };
    renewLater();
    try {
      return await sending;
    } finally {
      isOver = true;
      cancelTimer?.();
    }
  }

  /** A lock that outlives its lease belongs to a suspended worker and is stolen. */
  async #hold(record: TrackerRecord): Promise<Hold | null> {
    const { clock, lock } = this.#ports;
    const now = clock.now();
    if (!lock.exclusive && isLeased(record, now) && !holdsLease(record, this.#hostId)) return null;
    const hold = await lock.tryHold();
    const isOthers = isLeased(record, now) && !holdsLease(record, this.#hostId);
    if (hold || isOthers) {
      this.#lockedOutSince = null;
      return hold;
    }
    this.#lockedOutSince ??= now;
    const timeoutMs = record.lease ? LEASE_WRITTEN_MS : LEASE_MS;
    const outlived = now - this.#lockedOutSince >= timeoutMs;
    // What was read may be long ago, for this host may have been suspended since: the store decides, as it is now.
    const isOurs = outlived && lock.exclusive && (await this.#takeLease(null)) !== null;
    if (!isOurs) return null;
    this.#lockedOutSince = null;
    return lock.tryHold({ steal: true });
  }

  /**
   * With the lock in hand, whoever had the lease under it before is done or dead; who took it since has stolen the lock,
   * for this host was suspended. Otherwise the lease itself decides.
   */
  #takeLease(lockAskedAt: number | null): Promise<Turn | null> {
    const { clock, store } = this.#ports;
    return store.commit({}, ({ record }) => {
      const now = clock.now();
      const { lease } = record;
      const isFormer = lockAskedAt !== null && lease?.underLock && lease.takenAt <= lockAskedAt;
      const free = isFormer || mayTakeLease(record, this.#hostId, now);
      if (!free) {
        return { change: lockAskedAt === null ? {} : { record: withoutLock(record) }, result: null };
      }
      const leased = withLease(record, this.#hostId, now, lockAskedAt !== null);
      const turn = nextTurn(leased, this.#claimant, now);
      return { change: { record: turn.record }, result: turn };
    });
  }

  #letGo(): Promise<void> {
    return this.#changeOwnLease((record) => ({ ...record, lease: null }));
  }

  /** Who lost the lease does not get it back. */
  #changeOwnLease(change: (record: TrackerRecord, now: number) => TrackerRecord): Promise<void> {
    const { clock, store } = this.#ports;
    return store.commit({}, ({ record }) => ({
      change: holdsLease(record, this.#hostId) ? { record: change(record, clock.now()) } : {},
      result: undefined,
    }));
  }

  get #claimant(): Claimant {
    return { hostId: this.#hostId, underLock: this.#ports.lock.exclusive };
  }

  #busy(): Plan {
    return { kind: "wait", until: this.#ports.clock.now() + BUSY_RECHECK_MS };
  }
}
