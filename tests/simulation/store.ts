/**
 * One origin's store: what hosts ask of it takes its turn, takes time, may fail, and may be committed although the host
 * dies before it hears. A transaction is all or nothing.
 */
import { MemoryTrackerStore } from "../../src/adapters/memory-tracker-store.js";
import type { Change, Need, Snapshot, TrackerStore } from "../../src/core/ports.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { emptyRecord } from "../../src/core/tracker-record.js";
import type { Browser } from "./browser.js";
import { withLater } from "./later-version.js";
import type { SimulatedHost } from "./host.js";

export class SharedStore {
  readonly rows = new MemoryTrackerStore();
  /** As it stands after the last commit. */
  record: TrackerRecord = emptyRecord();
  readonly #browser: Browser;
  #freeAt = 0;
  /** Fails whatever is asked of it until then. */
  brokenUntil = 0;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** A frozen worker's transaction, say, before which nobody else's begins. */
  stallFor(ms: number): void {
    this.#freeAt = Math.max(this.#freeAt, this.#browser.world.scheduler.now + ms);
    this.#browser.excuse();
  }

  /** One transaction of a host: begins in its turn, and ends some time later. */
  turn<Result>(host: SimulatedHost, isWrite: boolean, work: () => Promise<Result>): Promise<Result> {
    const { scheduler, plan } = this.#browser.world;
    const beginsAt = Math.max(scheduler.now + scheduler.upTo(plan.storeDelayMs), this.#freeAt);
    const takesMs = scheduler.upTo(plan.storeDelayMs >> 3);
    this.#freeAt = beginsAt + takesMs;
    return new Promise((resolve, reject) => {
      host.after(beginsAt - scheduler.now, () => {
        if (this.#fails(isWrite)) return host.after(takesMs, () => reject(new Error("the disk is full")));
        if (isWrite && scheduler.chance(plan.hostFaults / 40)) {
          host.after(scheduler.upTo(takesMs), () => host.kill("dies within a commit"));
        }
        // Once begun it ends without its host: then nobody knows whether it was written.
        scheduler.after(takesMs, () => {
          if (!host.isAlive && scheduler.chance(0.5)) return;
          void work().then(
            (result) => host.after(0, () => resolve(result)),
            (error: unknown) => host.after(0, () => reject(error)),
          );
          if (isWrite && scheduler.chance(plan.hostFaults / 40))
            host.kill("dies before it hears of a commit");
        });
      });
    });
  }

  #fails(isWrite: boolean): boolean {
    const { scheduler, plan, chronicle } = this.#browser.world;
    if (scheduler.now >= this.brokenUntil && !scheduler.chance(plan.storeFaults)) return false;
    this.#browser.sending.storeFailed();
    chronicle.fault(this.#browser.name, isWrite ? "store: a commit fails" : "store: a read fails");
    return true;
  }

  /** Decides and writes at once; what must hold is looked at in between. */
  commit<Result>(
    host: SimulatedHost,
    need: Need,
    decide: (snapshot: Snapshot) => { change: Change; result: Result },
  ): Promise<Result> {
    const before = this.record;
    return this.rows.commit(need, (snapshot) => {
      const decision = decide(snapshot);
      const { record } = decision.change;
      if (record && host.version > 1) decision.change.record = withLater(record);
      this.record = decision.change.record ?? before;
      this.#browser.committed(host, before, decision.change, this.record);
      return decision;
    });
  }
}

/** One host's way to its origin's store. */
export class HostStore implements TrackerStore {
  readonly kind = "disk";
  readonly outOfReach = 0;
  readonly #host: SimulatedHost;
  readonly #store: SharedStore;

  constructor(host: SimulatedHost, store: SharedStore) {
    this.#host = host;
    this.#store = store;
  }

  commit<Result>(
    need: Need,
    decide: (snapshot: Snapshot) => { change: Change; result: Result },
  ): Promise<Result> {
    return this.#store.turn(this.#host, true, () => this.#store.commit(this.#host, need, decide));
  }

  read = () => this.#read((rows) => rows.read());
  readWaiting: TrackerStore["readWaiting"] = async (profiles, limit, after) => {
    const waiting = await this.#read((rows) => rows.readWaiting(profiles, limit, after));
    // What is sent of it is sent before anything else happens.
    this.#host.lastRead = waiting.record;
    return waiting;
  };
  countWaiting: TrackerStore["countWaiting"] = (profile, before) =>
    this.#read((rows) => rows.countWaiting(profile, before));
  inspect: TrackerStore["inspect"] = (query) => this.#read((rows) => rows.inspect(query));
  readDefinitions = () => this.#read((rows) => rows.readDefinitions());
  writeDefinitions: TrackerStore["writeDefinitions"] = (definitions) =>
    this.#write((rows) => rows.writeDefinitions(definitions));
  forgetPages: TrackerStore["forgetPages"] = (before) => this.#write((rows) => rows.forgetPages(before));

  #read<Result>(work: (rows: MemoryTrackerStore) => Promise<Result>): Promise<Result> {
    return this.#store.turn(this.#host, false, () => work(this.#store.rows));
  }

  #write<Result>(work: (rows: MemoryTrackerStore) => Promise<Result>): Promise<Result> {
    return this.#store.turn(this.#host, true, () => work(this.#store.rows));
  }
}
