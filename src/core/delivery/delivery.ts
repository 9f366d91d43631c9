/**
 * The sending loop: one sender at a time for the whole outbox, by lease, and by lock where there is one. All that must
 * outlive the host is in the record, so that any host can go on where another one died.
 */
import { MINUTE, SECOND } from "../../protocol/wire.js";
import type { Hold, Ports } from "../ports.js";
import type { TrackerRecord } from "../tracker-record.js";
import type { Turn } from "./lease.js";
import { BUSY_RECHECK_MS, holdsLease, isLeased, LEASE_MS, nextTurn, RENEWAL_MS, withLease } from "./lease.js";
import type { Plan } from "./plan.js";
import { planOf } from "./plan.js";
import type { Registrar } from "./registrar.js";
import { Sender } from "./sender.js";

const STORE_RETRY_MS = 5 * SECOND;
/** Clocks are set, and hosts die before they tell what they stored: look again at least this often. */
const LONGEST_WAIT_MS = 15 * MINUTE;
/** Who has got the lock writes its lease within this: until then, the one that is expired is its predecessor's. */
const LEASE_WRITTEN_MS = 5 * SECOND;

export class Delivery {
  readonly #ports: Ports;
  readonly #registrar: Registrar;
  readonly #hostId: string;
  readonly #onChange: () => void;
  #turning = false;
  #again = false;
  #closed = false;
  #cancelTimer = (): void => undefined;
  /** Since when, with something to send, the lock has been held elsewhere without a lease that counts. */
  #lockedOutSince: number | null = null;

  /** @param onChange Rows were settled, or the delivery's state changed. */
  constructor(ports: Ports, registrar: Registrar, hostId: string, onChange: () => void) {
    this.#ports = ports;
    this.#registrar = registrar;
    this.#hostId = hostId;
    this.#onChange = onChange;
  }

  /** Sends what may be sent now; comes back by itself when a time comes. */
  wake(): void {
    if (this.#closed) return;
    this.#again = true;
    if (!this.#turning) void this.#turn();
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#ports.transport.abortAll();
  }

  async #turn(): Promise<void> {
    const { clock, timers } = this.#ports;
    this.#turning = true;
    this.#cancelTimer();
    let wakeAt = Infinity;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        const plan = await this.#drain();
        wakeAt = plan.kind === "wait" ? plan.until : Infinity;
      } catch {
        // The store failed; what is in it stays, and storage may come back.
        wakeAt = clock.now() + STORE_RETRY_MS;
      }
    }
    this.#turning = false;
    if (this.#closed) return;
    const delay = Math.min(LONGEST_WAIT_MS, Math.max(0, wakeAt - clock.now()));
    this.#cancelTimer = timers.after(delay, () => this.wake());
  }

  /** Sends until nothing may be sent; answers what to wait for. */
  async #drain(): Promise<Plan> {
    const { clock, store } = this.#ports;
    const before = await store.read();
    const plan = planOf(before, clock.now());
    if (plan.kind !== "send") {
      this.#lockedOutSince = null;
      return plan;
    }
    const askedAt = clock.now();
    const hold = await this.#hold(before);
    if (!hold) return this.#busy();
    try {
      return await this.#sendUnderLease(askedAt);
    } finally {
      hold.release();
    }
  }

  async #sendUnderLease(lockAskedAt: number): Promise<Plan> {
    const { changes, lock } = this.#ports;
    let turn = await this.#takeLease(lock.exclusive ? lockAskedAt : null);
    if (!turn) return this.#busy();
    const sender = new Sender(this.#ports, this.#registrar, this.#hostId);
    const tell = (): void => {
      changes.announce();
      this.#onChange();
    };
    tell();
    while (turn.plan.kind === "send" && !this.#closed) {
      turn = await this.#renewing(sender.send(turn.record, turn.plan.queues));
      tell();
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

  /** A lock that outlives its lease belongs to a frozen worker and is stolen. */
  async #hold(record: TrackerRecord): Promise<Hold | null> {
    const { clock, lock } = this.#ports;
    const now = clock.now();
    if (!lock.exclusive && isLeased(record, now) && !holdsLease(record, this.#hostId)) return null;
    const hold = await lock.tryHold();
    if (hold || isLeased(record, now)) {
      this.#lockedOutSince = null;
      return hold;
    }
    this.#lockedOutSince ??= now;
    const patienceMs = record.lease ? LEASE_WRITTEN_MS : LEASE_MS;
    const outlived = now - this.#lockedOutSince >= patienceMs;
    // What was read may be long ago, for this host may have been frozen since: the store decides, as it is now.
    const isOurs = outlived && lock.exclusive && (await this.#takeLease(null)) !== null;
    if (!isOurs) return null;
    this.#lockedOutSince = null;
    return lock.tryHold({ steal: true });
  }

  /**
   * With the lock in hand, whoever had the lease under it before is done or dead; who took it since has stolen the lock,
   * for this host was frozen. Otherwise the lease itself decides.
   */
  #takeLease(lockAskedAt: number | null): Promise<Turn | null> {
    const { clock, store } = this.#ports;
    return store.commit({}, ({ record }) => {
      const now = clock.now();
      const { lease } = record;
      const isFormer = lockAskedAt !== null && lease?.underLock && lease.takenAt <= lockAskedAt;
      const free = isFormer || holdsLease(record, this.#hostId) || !isLeased(record, now);
      if (!free) {
        if (lockAskedAt === null || !lease) return { change: {}, result: null };
        // Frozen as it stole the lock, this host may have taken it from whoever has the lease by now: the lease alone counts.
        const { underLock: _, ...withoutLock } = lease;
        return { change: { record: { ...record, lease: withoutLock } }, result: null };
      }
      const turn = nextTurn(withLease(record, this.#hostId, now, lockAskedAt !== null), this.#hostId, now);
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

  #busy(): Plan {
    return { kind: "wait", until: this.#ports.clock.now() + BUSY_RECHECK_MS };
  }
}
