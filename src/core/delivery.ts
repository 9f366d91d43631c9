/**
 * The sending loop. One sender at a time for the whole outbox, by lock and lease; per profile in the order of
 * acceptance; a row leaves the outbox only when the service has named it. All that must outlive the host is in the
 * record, so that any host can go on where another one died.
 */
import type { OutboxRow, Profile, TrackingError } from "../protocol/api.js";
import { MINUTE, SECOND } from "../protocol/wire.js";
import { trackingError } from "../protocol/errors.js";
import type { Verdict } from "./answers.js";
import { batchVerdict } from "./answers.js";
import type { Batch } from "./batch.js";
import { BATCH_OPERATIONS, batchOf, mergedVisitors } from "./batch.js";
import type { Plan } from "./gate.js";
import { planOf, withFailure, withoutStopsOf, withStop, withSuccess } from "./gate.js";
import { withLane } from "./lanes.js";
import type { Hold, Ports } from "./ports.js";
import type { Registrar } from "./registrar.js";
import { needToSettle, settle } from "./settle.js";
import type { TrackerRecord } from "./tracker-record.js";
import { isOptedOut } from "./tracker-record.js";

/** Longer than a request may take. */
const LEASE_MS = 60 * SECOND;
/** How often to look whether another host still sends. */
const BUSY_RECHECK_MS = 1 * SECOND;
/** So many refused one by one, and none accepted between: it is not the operations. */
const MOST_REFUSED_ALONE = 10;
const LONGEST_WAIT_MS = 15 * MINUTE;

export class Delivery {
  readonly #ports: Ports;
  readonly #registrar: Registrar;
  readonly #hostId: string;
  readonly #onChange: () => void;
  #turning = false;
  #again = false;
  #closed = false;
  #cancelTimer = (): void => undefined;
  /** Halved by a refusal, doubled by success. */
  #batchOperations = BATCH_OPERATIONS;
  sending = false;

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
    this.#turning = true;
    this.#cancelTimer();
    let wakeAt: number | null = null;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        wakeAt = await this.#drain();
      } catch {
        // The store failed; what is in it stays, and storage may come back.
        wakeAt = this.#ports.clock.now() + 5 * SECOND;
      }
    }
    this.#turning = false;
    if (wakeAt === null || this.#closed) return;
    const delay = Math.min(LONGEST_WAIT_MS, Math.max(0, wakeAt - this.#ports.clock.now()));
    this.#cancelTimer = this.#ports.timers.after(delay, () => this.wake());
  }

  /** Sends until nothing may be sent; answers when to look again. */
  async #drain(): Promise<number | null> {
    const { clock, store, lock } = this.#ports;
    const before = await store.read();
    const plan = planOf(before, clock.now());
    if (plan.kind !== "send") return wakeTime(plan);
    const hold = await this.#hold(before);
    if (!hold) return clock.now() + BUSY_RECHECK_MS;
    try {
      if (!(await this.#takeLease(lock.exclusive))) return clock.now() + BUSY_RECHECK_MS;
      this.#setSending(true);
      for (;;) {
        const next = await this.#next();
        if (next.kind !== "send") return wakeTime(next);
      }
    } finally {
      hold.release();
      this.#setSending(false);
      this.#ports.changes.announce();
    }
  }

  #hold(record: TrackerRecord): Promise<Hold | null> {
    const { clock, lock } = this.#ports;
    const expired = record.lease !== null && !isHeld(record.lease, clock.now());
    return lock
      .tryHold()
      .then((hold) => hold ?? (expired && lock.exclusive ? lock.tryHold({ steal: true }) : null));
  }

  /** With an exclusive lock in hand, whoever had the lease is done or dead; without one the lease itself decides. */
  #takeLease(exclusive: boolean): Promise<boolean> {
    return this.#commit((record, now) => {
      const { lease } = record;
      const free = exclusive || !lease || lease.holder === this.#hostId || !isHeld(lease, now);
      return { record: free ? this.#withLease(record, now) : record, result: free };
    });
  }

  #withLease(record: TrackerRecord, now: number): TrackerRecord {
    return { ...record, lease: { holder: this.#hostId, takenAt: now, expiresAt: now + LEASE_MS } };
  }

  /** Renews the lease and sends one batch; lets go of the lease where there is nothing to send. */
  async #next(): Promise<Plan> {
    const plan = await this.#commit<Plan>((record, now) => {
      if (record.lease?.holder !== this.#hostId) {
        return { record, result: { kind: "wait", until: now + BUSY_RECHECK_MS } };
      }
      const next = this.#closed ? ({ kind: "idle" } as const) : planOf(record, now);
      return {
        record: next.kind === "send" ? this.#withLease(record, now) : { ...record, lease: null },
        result: next,
      };
    });
    if (plan.kind === "send") await this.#sendFirstOf(plan.lanes.map(({ profile }) => profile));
    return plan;
  }

  /** Profiles go in the order of their first waiting row, so that a visitor's activity arrives before its merge. */
  async #sendFirstOf(profiles: readonly Profile[]): Promise<void> {
    const { store } = this.#ports;
    let first: { profile: Profile; seq: number } | null = null;
    for (const profile of profiles) {
      const seq = await store.firstWaiting(profile);
      // A count without rows would be looked for again and again.
      if (seq === null) await this.#recount(profile);
      else if (!first || seq < first.seq) first = { profile, seq };
    }
    if (first) await this.#send(first.profile);
  }

  async #recount(profile: Profile): Promise<void> {
    const waiting = await this.#ports.store.countWaiting(profile, Infinity);
    await this.#commit((record) => ({
      record: withLane(record, profile, (lane) => ({ ...lane, waiting })),
      result: undefined,
    }));
  }

  async #send(profile: Profile): Promise<void> {
    const registration = await this.#registrar.ensure(profile);
    if (registration.kind !== "registered") return;
    const rows = await this.#ports.store.readWaiting(profile, this.#batchOperations);
    const tokens = await this.#visitorTokens(rows);
    if (!tokens) return;
    const batch = batchOf(this.#ports.ids.uuid(), this.#ports.clock.now(), rows, tokens);
    let verdict = await this.#post(batch, registration.token);
    if (verdict.kind === "unauthorized") {
      const renewed = await this.#registrar.ensure(profile, { renew: true });
      if (renewed.kind !== "registered") return;
      verdict = await this.#post(batch, renewed.token);
    }
    await this.#apply(profile, batch.rows, verdict);
  }

  async #visitorTokens(rows: readonly OutboxRow[]): Promise<Map<string, string> | null> {
    const tokens = new Map<string, string>();
    for (const visitor of mergedVisitors(rows)) {
      const lane = (await this.#ports.store.read()).lanes.find(({ profile }) => profile.id === visitor.id);
      if (lane?.registration) {
        // An expired one counts: it proves that this browser was that visitor.
        tokens.set(visitor.id, lane.registration.token);
        continue;
      }
      const registration = await this.#registrar.ensure(visitor);
      if (registration.kind !== "registered") return null;
      tokens.set(visitor.id, registration.token);
    }
    return tokens;
  }

  async #post(batch: Batch, token: string): Promise<Verdict> {
    const { connection } = await this.#ports.store.read();
    const answer = await this.#ports.transport.send({
      method: "POST",
      url: `${connection?.endpoint}/v1/batches`,
      headers: { Authorization: `Bearer ${token}` },
      body: batch.body,
    });
    return batchVerdict(answer);
  }

  async #apply(profile: Profile, rows: readonly OutboxRow[], verdict: Verdict): Promise<void> {
    const { clock, store, random } = this.#ports;
    const fail = (record: TrackerRecord, now: number, verdict: Extract<Verdict, { kind: "failed" }>) =>
      // What an opt-out cut off did not fail.
      isOptedOut(record) ? record : withFailure(record, now, random(), verdict.error, verdict.retryAfterMs);

    switch (verdict.kind) {
      case "failed":
        return this.#commit((record, now) => ({ record: fail(record, now, verdict), result: undefined }));
      case "unauthorized":
        return this.#stop(profile, verdict.error);
      case "forbidden":
        return this.#stop(verdict.scope === "key" ? null : profile, verdict.error);
      case "refused":
        if (rows.length > 1) {
          this.#batchOperations = Math.ceil(rows.length / 2);
          return;
        }
        return this.#refuseAlone(profile, rows, verdict.error);
      case "settled": {
        const unanswered = await store.commit(needToSettle(profile, rows), (snapshot) => {
          const now = clock.now();
          const { change, unanswered, lastRejection } = settle(snapshot, profile, rows, verdict.results);
          let record = withoutStopsOf(withSuccess(change.record ?? snapshot.record), profile);
          if (lastRejection) {
            record = { ...record, delivery: { ...record.delivery, lastError: lastRejection } };
          }
          if (unanswered > 0) {
            const cause = `the service's answer named ${rows.length - unanswered} of ${rows.length} operations`;
            record = fail(record, now, { kind: "failed", error: trackingError(2101, "worker", cause) });
          }
          return { change: { ...change, record }, result: unanswered };
        });
        if (unanswered === 0) this.#batchOperations = Math.min(BATCH_OPERATIONS, this.#batchOperations * 2);
        this.#settled();
      }
    }
  }

  /** A poisonous operation never blocks the rest; ten in a row are not the operations' fault. */
  async #refuseAlone(profile: Profile, rows: readonly OutboxRow[], error: TrackingError): Promise<void> {
    await this.#ports.store.commit(needToSettle(profile, rows), (snapshot) => {
      const now = this.#ports.clock.now();
      const { refusedAlone } = snapshot.record.delivery;
      if (refusedAlone >= MOST_REFUSED_ALONE) {
        return { change: { record: withStop(snapshot.record, profile, error, now) }, result: undefined };
      }
      const results = new Map(rows.map(({ id }) => [id, { id, status: "rejected", error } as const]));
      const { change } = settle(snapshot, profile, rows, results);
      const counted = change.record ?? snapshot.record;
      const record = {
        ...counted,
        delivery: { ...counted.delivery, refusedAlone: refusedAlone + 1, lastError: error },
      };
      const stops = refusedAlone + 1 >= MOST_REFUSED_ALONE;
      return {
        change: { ...change, record: stops ? withStop(record, profile, error, now) : record },
        result: undefined,
      };
    });
    this.#settled();
  }

  #stop(profile: Profile | null, error: TrackingError): Promise<void> {
    return this.#commit((record, now) => ({
      record: withStop(record, profile, error, now),
      result: undefined,
    }));
  }

  async #commit<Result>(
    decide: (record: TrackerRecord, now: number) => { record: TrackerRecord; result: Result },
  ): Promise<Result> {
    const result = await this.#ports.store.commit({}, (snapshot) => {
      const { record, result } = decide(snapshot.record, this.#ports.clock.now());
      return { change: record === snapshot.record ? {} : { record }, result };
    });
    this.#onChange();
    return result;
  }

  #setSending(sending: boolean): void {
    this.sending = sending;
    this.#onChange();
  }

  #settled(): void {
    this.#ports.changes.announce();
    this.#onChange();
  }
}

const isHeld = (lease: NonNullable<TrackerRecord["lease"]>, now: number): boolean =>
  now < lease.expiresAt && now >= lease.takenAt - 5 * SECOND;

const wakeTime = (plan: Plan): number | null => (plan.kind === "wait" ? plan.until : null);
