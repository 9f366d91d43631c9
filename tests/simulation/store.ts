/**
 * One origin's store: what hosts ask of it takes its turn, takes time, may fail, and may be committed although the host
 * dies before it hears. A transaction is all or nothing.
 */
import type { DiskStore } from "../../src/core/failover/disk-connection.js";
import type { MemoryTrackerStore } from "../../src/core/failover/memory-tracker-store.js";
import type { WriteSet, ReadSet, Snapshot, TrackerStore } from "../../src/core/ports.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import type { Actor } from "./actor.js";
import type { Checks } from "./checks.js";
import type { Disk } from "./disk.js";
import { withLater } from "./later-version.js";
import type { Origin } from "./origin.js";

const named = (name: string): Error => Object.assign(new Error(name), { name });

/** A host as its origin's store knows it. */
export type DiskUser = Actor & {
  readonly version: number;
  /** Answers in the order in which the store gives them. */
  hear(answer: () => void): void;
  kill(how: string): void;
  readonly store: {
    heard(record: TrackerRecord, version: number): void;
    onDisk<Decision>(
      record: TrackerRecord,
      decide: () => Decision,
    ): { decision: Decision; before: TrackerRecord; isClosing: boolean };
  };
};

export class SharedStore {
  readonly disk: Disk;
  readonly #origin: Origin;
  readonly #checks: Checks;

  constructor(origin: Origin, disk: Disk, checks: Checks) {
    this.#origin = origin;
    this.disk = disk;
    this.#checks = checks;
  }

  /** A connection: an open that is not answered now is answered once the disk is well. */
  open(host: DiskUser): Promise<Connection> {
    const { scheduler, plan } = this.#origin.environment;
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        const silentMs = this.disk.silentUntil(host) - scheduler.now;
        if (silentMs > 0) host.after(silentMs + 1, answer);
        else if (this.disk.isBroken) reject(named("UnknownError"));
        else resolve(new Connection(host, this));
      };
      host.after(scheduler.upTo(plan.storeDelayMs), answer);
    });
  }

  /** One transaction of a host: begins in its turn, and ends some time later. */
  turn<Result>(
    host: DiskUser,
    isWrite: boolean,
    work: (isAborted: boolean) => Promise<Result>,
  ): Promise<Result> {
    const { scheduler, plan } = this.#origin.environment;
    const silentMs = this.disk.silentUntil(host) - scheduler.now;
    const silence =
      silentMs > 0 ? scheduler.pick(["hangs", "late", "late", "unheard", "aborted"] as const) : null;
    if (silence === "hangs") return new Promise<Result>(() => undefined);
    const isAborted = silence === "aborted";
    const lateMs = silence === "late" ? silentMs : 0;
    const beginsAt = Math.max(scheduler.now + scheduler.upTo(plan.storeDelayMs) + lateMs, this.disk.freeAt);
    const takesMs = scheduler.upTo(plan.storeDelayMs >> 3);
    if (silence === null || this.disk.isSilentForAll) this.disk.freeAt = beginsAt + takesMs;
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
    const { scheduler, plan, chronicle } = this.#origin.environment;
    if (isWrite && this.disk.isFull) {
      this.#checks.sending.storeFailed();
      return named("QuotaExceededError");
    }
    if (!this.disk.isBroken && !scheduler.chance(plan.storeFaults)) return null;
    this.#checks.sending.storeFailed();
    chronicle.fault(this.#origin.name, isWrite ? "store: a commit fails" : "store: a read fails");
    return new Error("the disk is out of order");
  }

  /** Decides and writes at once; what must hold is looked at in between. */
  commit<Result>(
    host: DiskUser,
    readSet: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
    isAborted: boolean,
  ): Promise<Result> {
    const { disk } = this;
    return disk.rows.commit(readSet, (snapshot) => {
      const { before, decision, isClosing } = host.store.onDisk(disk.record, () => decide(snapshot));
      if (isAborted) throw named("AbortError");
      const { record } = decision.change;
      if (record && host.version > 1) decision.change.record = withLater(record);
      disk.record = decision.change.record ?? disk.record;
      if (decision.change.erase) this.#origin.erased(disk.record.generation);
      // A host that finds that it may not retire any more changes nothing.
      if (isClosing && decision.change.record)
        this.#checks.closed(host, before, decision.change, disk.record);
      else this.#checks.committed(host, before, decision.change, disk.record);
      this.#count(before, decision.change, disk.record);
      return decision;
    });
  }

  #count(before: TrackerRecord, { put = [] }: WriteSet, after: TrackerRecord): void {
    const isSame =
      put.length === 0 &&
      before.session === after.session &&
      before.selections === after.selections &&
      before.liveChat === after.liveChat &&
      before.generation === after.generation;
    if (isSame) return;
    this.disk.version += 1;
  }
}

/** One host's connection to its origin's store, which ends when that is deleted. */
export class Connection implements DiskStore {
  readonly kind = "disk";
  readonly #host: DiskUser;
  readonly #store: SharedStore;
  readonly #life: number;

  constructor(host: DiskUser, store: SharedStore) {
    this.#host = host;
    this.#store = store;
    this.#life = store.disk.life;
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
      return { result: decided, heard: { record, version: this.#store.disk.version } };
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
      version: this.#store.disk.version,
    }));
    this.#host.store.heard(recordOf(answer), version);
    return answer;
  }

  #turn<Result>(
    isWrite: boolean,
    work: (rows: MemoryTrackerStore, isAborted: boolean) => Promise<Result>,
  ): Promise<Result> {
    return this.#store.turn(this.#host, isWrite, async (isAborted) => {
      if (this.#life !== this.#store.disk.life) throw named("InvalidStateError");
      return work(this.#store.disk.rows, isAborted);
    });
  }
}
