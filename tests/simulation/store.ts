/**
 * One origin's store: what hosts ask of it takes its turn, takes time, may fail, and may be committed although the host
 * dies before it hears. A transaction is all or nothing.
 */
import type { DiskStore } from "../../src/core/failover/disk-connection.js";
import { MemoryTrackerStore } from "../../src/core/failover/memory-tracker-store.js";
import type { WriteSet, ReadSet, Snapshot, TrackerStore } from "../../src/core/ports.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { emptyRecord } from "../../src/core/tracker-record.js";
import type { Browser } from "./browser.js";
import { withLater } from "./later-version.js";
import type { SimulatedHost } from "./host.js";

const named = (name: string): Error => Object.assign(new Error(name), { name });

export class SharedStore {
  rows = new MemoryTrackerStore();
  /** As it stands after the last commit. */
  record: TrackerRecord = emptyRecord();
  /** Counts what changes session, selection or rows, and who did it last. */
  version = 0;
  changedBy: SimulatedHost | null = null;
  /** Counts how often it was emptied: connections of before are lost. */
  life = 0;
  readonly #browser: Browser;
  #freeAt = 0;
  /** Fails whatever is asked of it until then. */
  brokenUntil = 0;
  #silentUntil = 0;
  #fullUntil = 0;
  readonly #silentFor = new Map<SimulatedHost, number>();

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** A frozen worker's transaction, say, before which nobody else's begins. */
  stallFor(ms: number): void {
    this.#freeAt = Math.max(this.#freeAt, this.#browser.world.scheduler.now + ms);
    this.#browser.excuse();
  }

  fallSilent(ms: number): void {
    this.#fault("disk: silent for a while");
    this.#silentUntil = this.#now + ms;
    this.#browser.excuse();
  }

  fallSilentFor(host: SimulatedHost, ms: number): void {
    this.#fault("disk: silent for one host");
    this.#silentFor.set(host, this.#now + ms);
    this.#browser.excuse();
  }

  fillUp(ms: number): void {
    this.#fault("disk: full");
    // Who cannot write cannot renew its lease either.
    this.#browser.excuse();
    this.#fullUntil = this.#now + ms;
  }

  refuse(ms: number): void {
    this.#fault("disk: refuses");
    this.brokenUntil = this.#now + ms;
    this.#browser.excuse();
  }

  emptyBy(how: string): void {
    this.#fault(`disk: ${how}`);
    if (this.#browser.world.scheduler.chance(0.5)) this.life += 1;
    this.rows = new MemoryTrackerStore();
    this.version += 1;
    this.changedBy = null;
    const { record } = this;
    this.record = emptyRecord();
    if (how.startsWith("the site")) this.#browser.ledger.journalsCleared();
    this.#browser.emptied(record);
  }

  heal(): void {
    this.brokenUntil = this.#silentUntil = this.#fullUntil = 0;
    this.#silentFor.clear();
  }

  /** Until when it says nothing to this host. */
  silentUntil(host: SimulatedHost): number {
    return Math.max(this.#silentUntil, this.#silentFor.get(host) ?? 0);
  }

  get #now(): number {
    return this.#browser.world.scheduler.now;
  }

  #fault(kind: string): void {
    this.#browser.world.chronicle.fault(this.#browser.name, kind);
  }

  /** A connection: an open that is not answered now is answered once the disk is well. */
  open(host: SimulatedHost): Promise<Connection> {
    const { scheduler, plan } = this.#browser.world;
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        const silentMs = this.silentUntil(host) - scheduler.now;
        if (silentMs > 0) host.after(silentMs + 1, answer);
        else if (scheduler.now < this.brokenUntil) reject(named("UnknownError"));
        else resolve(new Connection(host, this));
      };
      host.after(scheduler.upTo(plan.storeDelayMs), answer);
    });
  }

  /** One transaction of a host: begins in its turn, and ends some time later. */
  turn<Result>(
    host: SimulatedHost,
    isWrite: boolean,
    work: (isAborted: boolean) => Promise<Result>,
  ): Promise<Result> {
    const { scheduler, plan } = this.#browser.world;
    const silentMs = this.silentUntil(host) - scheduler.now;
    const silence =
      silentMs > 0 ? scheduler.pick(["hangs", "late", "late", "unheard", "aborted"] as const) : null;
    if (silence === "hangs") return new Promise<Result>(() => undefined);
    const isAborted = silence === "aborted";
    const lateMs = silence === "late" ? silentMs : 0;
    const beginsAt = Math.max(scheduler.now + scheduler.upTo(plan.storeDelayMs) + lateMs, this.#freeAt);
    const takesMs = scheduler.upTo(plan.storeDelayMs >> 3);
    if (silence === null || scheduler.now < this.#silentUntil) this.#freeAt = beginsAt + takesMs;
    return new Promise((resolve, reject) => {
      host.after(beginsAt - scheduler.now, () => {
        const failure = this.#failure(isWrite);
        if (failure) return host.after(takesMs, () => reject(failure));
        if (isWrite && scheduler.chance(plan.hostFaults / 40)) {
          host.after(scheduler.upTo(takesMs), () => host.kill("dies within a commit"));
        }
        // Once begun it ends without its host: then nobody knows whether it was written.
        scheduler.after(takesMs, () => {
          if (!host.isAlive && scheduler.chance(0.5)) return;
          void work(isAborted).then(
            (result) => silence === "unheard" || host.hear(() => resolve(result)),
            (error: unknown) => isAborted || host.hear(() => reject(error)),
          );
          if (isWrite && scheduler.chance(plan.hostFaults / 40))
            host.kill("dies before it hears of a commit");
        });
      });
    });
  }

  #failure(isWrite: boolean): Error | null {
    const { scheduler, plan } = this.#browser.world;
    if (isWrite && scheduler.now < this.#fullUntil) {
      this.#browser.sending.storeFailed();
      return named("QuotaExceededError");
    }
    if (scheduler.now >= this.brokenUntil && !scheduler.chance(plan.storeFaults)) return null;
    this.#browser.sending.storeFailed();
    this.#fault(isWrite ? "store: a commit fails" : "store: a read fails");
    return new Error("the disk is out of order");
  }

  /** Decides and writes at once; what must hold is looked at in between. */
  commit<Result>(
    host: SimulatedHost,
    readSet: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
    isAborted: boolean,
  ): Promise<Result> {
    return this.rows.commit(readSet, (snapshot) => {
      const { before, decision, isClosing } = host.store.onDisk(this.record, () => decide(snapshot));
      if (isAborted) throw named("AbortError");
      const { record } = decision.change;
      if (record && host.version > 1) decision.change.record = withLater(record);
      this.record = decision.change.record ?? this.record;
      // A host that finds that it may not retire any more changes nothing.
      if (isClosing && decision.change.record)
        this.#browser.closed(host, before, decision.change, this.record);
      else this.#browser.committed(host, before, decision.change, this.record);
      this.#count(host, before, decision.change, this.record);
      return decision;
    });
  }

  #count(host: SimulatedHost, before: TrackerRecord, { put = [] }: WriteSet, after: TrackerRecord): void {
    const isSame =
      put.length === 0 &&
      before.session === after.session &&
      before.selections === after.selections &&
      before.liveChat === after.liveChat &&
      before.generation === after.generation;
    if (isSame) return;
    this.version += 1;
    this.changedBy = host;
  }
}

/** One host's connection to its origin's store, which ends when that is deleted. */
export class Connection implements DiskStore {
  readonly kind = "disk";
  readonly #host: SimulatedHost;
  readonly #store: SharedStore;
  readonly #life: number;

  constructor(host: SimulatedHost, store: SharedStore) {
    this.#host = host;
    this.#store = store;
    this.#life = store.life;
  }

  async commit<Result>(
    readSet: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
  ): Promise<Result> {
    const { result, heard } = await this.#turn(true, async (_, isAborted) => {
      let record: TrackerRecord | undefined;
      const decided = await this.#store.commit(
        this.#host,
        readSet,
        (snapshot) => {
          const decision = decide(snapshot);
          record = decision.change.record;
          return decision;
        },
        isAborted,
      );
      return { result: decided, heard: { record, version: this.#store.version } };
    });
    if (heard.record) this.#host.store.heard(heard.record, heard.version);
    return result;
  }

  read = () =>
    this.#readRecord(
      (rows) => rows.read(),
      (record) => record,
    );
  readWaiting: TrackerStore["readWaiting"] = (profiles, limit, after) =>
    this.#readRecord(
      (rows) => rows.readWaiting(profiles, limit, after),
      ({ record }) => record,
    );
  countWaiting: TrackerStore["countWaiting"] = (profile, before) =>
    this.#turn(false, (rows) => rows.countWaiting(profile, before));
  inspect: TrackerStore["inspect"] = (query) => this.#turn(false, (rows) => rows.inspect(query));
  readDefinitions = () => this.#turn(false, (rows) => rows.readDefinitions());
  writeDefinitions: TrackerStore["writeDefinitions"] = (definitions) =>
    this.#turn(true, (rows) => rows.writeDefinitions(definitions));
  forgetPages: TrackerStore["forgetPages"] = (before) => this.#turn(true, (rows) => rows.forgetPages(before));

  close(): void {
    // What was asked of it is answered all the same, or not: nobody listens.
  }

  async #readRecord<Answer>(
    read: (rows: MemoryTrackerStore) => Promise<Answer>,
    recordOf: (answer: Answer) => TrackerRecord,
  ): Promise<Answer> {
    const { answer, version } = await this.#turn(false, async (rows) => ({
      answer: await read(rows),
      version: this.#store.version,
    }));
    this.#host.store.heard(recordOf(answer), version);
    return answer;
  }

  #turn<Result>(
    isWrite: boolean,
    work: (rows: MemoryTrackerStore, isAborted: boolean) => Promise<Result>,
  ): Promise<Result> {
    return this.#store.turn(this.#host, isWrite, async (isAborted) => {
      if (this.#life !== this.#store.life) throw named("InvalidStateError");
      return work(this.#store.rows, isAborted);
    });
  }
}
