/**
 * What one host's core asks of its store, and where that decides it: on the disk, or in the host's memory once it has
 * failed over. In the histories with failover it is the real store that fails over and retires.
 */
import { FailoverStore } from "../../src/core/failover/failover-store.js";
import type { WriteSet, ReadSet, Snapshot, TrackerStore } from "../../src/core/ports.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { SECOND } from "../../src/protocol/wire.js";
import type { Checks } from "./checks.js";
import type { Origin } from "./origin.js";
import type { DiskUser, SharedStore } from "./store.js";
import { Connection } from "./store.js";

/** A stall, and a retirement that stalls. */
const LONGEST_ANSWER_MS = 12 * SECOND;

export class HostStore implements TrackerStore {
  /** The record that came with the rows that were read last, and from where. */
  lastRead: { record: TrackerRecord; kind: "disk" | "memory" } | null = null;
  /** What the disk told this host last, and which of its versions that was. */
  lastHeard: { record: TrackerRecord; version: number } | null = null;
  readonly #host: DiskUser;
  readonly #origin: Origin;
  readonly #checks: Checks;
  readonly #inner: TrackerStore;
  #isOnDisk = false;
  /** What the core's own decision on the disk saw. */
  #decidedOn: TrackerRecord | null = null;
  readonly #asked = new Set<{ at: number }>();

  constructor(host: DiskUser, shared: SharedStore, origin: Origin, checks: Checks, onRetired: () => void) {
    this.#host = host;
    this.#origin = origin;
    this.#checks = checks;
    this.#inner = origin.environment.plan.failover
      ? new FailoverStore({
          open: () => shared.open(host),
          clock: { now: () => origin.wallClock() },
          timers: { after: (delayMs, callback) => host.after(delayMs, callback) },
          onFailover: () => this.#failedOver(),
          onRetired,
        })
      : new Connection(host, shared);
  }

  get kind(): "disk" | "memory" {
    return this.#inner.kind;
  }

  /** An emptied disk tells nothing, and what comes after the host has left it nothing new. */
  heard(record: TrackerRecord, version: number): void {
    if (this.kind === "memory") return;
    const isEmptied = record.connection === null && this.lastHeard?.record.connection;
    if (!isEmptied) this.lastHeard = { record, version };
  }

  /** Runs a decision on the disk: the core's own, or the closing one of a host in memory. */
  onDisk<Decision>(
    record: TrackerRecord,
    decide: () => Decision,
  ): { decision: Decision; before: TrackerRecord; isClosing: boolean } {
    this.#isOnDisk = true;
    this.#decidedOn = null;
    try {
      const decision = decide();
      return { decision, before: this.#decidedOn ?? record, isClosing: this.#decidedOn === null };
    } finally {
      this.#isOnDisk = false;
    }
  }

  commit<Result>(
    readSet: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
  ): Promise<Result> {
    const decideHere = (snapshot: Snapshot) => {
      const decision = decide(snapshot);
      const { record } = snapshot;
      const { change } = decision;
      if (this.#isOnDisk) this.#decidedOn = record;
      else this.#committedInMemory(record, change, change.record ?? record);
      return decision;
    };
    return this.#ask(this.#inner.commit(readSet, decideHere));
  }

  #committedInMemory(before: TrackerRecord, change: WriteSet, after: TrackerRecord): void {
    if (change.erase) this.#origin.erased(after.generation);
    this.#checks.outbox.committedInMemory(this.#host, before, change, after);
  }

  read = () => this.#ask(this.#inner.read());
  readWaiting: TrackerStore["readWaiting"] = async (profiles, limit, after) => {
    const waiting = await this.#ask(this.#inner.readWaiting(profiles, limit, after));
    // What is sent of it is sent before anything else happens.
    this.lastRead = { record: waiting.record, kind: this.kind };
    return waiting;
  };
  countWaiting: TrackerStore["countWaiting"] = (profile, before) =>
    this.#ask(this.#inner.countWaiting(profile, before));
  inspect: TrackerStore["inspect"] = (query) => this.#ask(this.#inner.inspect(query));
  readDefinitions = () => this.#ask(this.#inner.readDefinitions());
  writeDefinitions: TrackerStore["writeDefinitions"] = (definitions) =>
    this.#ask(this.#inner.writeDefinitions(definitions));
  forgetPages: TrackerStore["forgetPages"] = (before) => this.#ask(this.#inner.forgetPages(before));

  /** Memory has what the disk may never have got. */
  #failedOver(): void {
    const { outbox, sending } = this.#checks;
    this.#origin.environment.chronicle.count("failovers");
    sending.adrift(this.#host);
    outbox.memoryBegins(this.#host, this.lastHeard);
    const rows = this.#inner.inspect({ after: 0, limit: Infinity });
    void Promise.all([this.#inner.read(), rows]).then(([record, held]) =>
      outbox.memoryBegan(this.#host, record, held),
    );
  }

  /** Every wait has an end. */
  #ask<Answer>(asking: Promise<Answer>): Promise<Answer> {
    if (!this.#origin.environment.plan.failover) return asking;
    this.checkWaits();
    const ask = { at: this.#origin.environment.scheduler.now };
    this.#asked.add(ask);
    return asking.finally(() => this.#asked.delete(ask));
  }

  checkWaits(): void {
    const { scheduler, chronicle } = this.#origin.environment;
    const [oldest] = this.#asked;
    if (!oldest || this.#host.isFrozen || !this.#host.isAlive) return;
    const since = Math.max(oldest.at, this.#host.thawedAt);
    const isLate = scheduler.now > since + LONGEST_ANSWER_MS;
    chronicle.expect(!isLate, this.#host.name, () => "the store does not answer");
  }
}
