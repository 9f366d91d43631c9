/**
 * What one host's core asks of its store, and where that decides it: on the disk, or in the host's memory once it has
 * failed over. In the worlds with failover it is the real store that fails over and retires.
 */
import { FailoverStore } from "../../src/core/failover/failover-store.js";
import type { WriteSet, ReadSet, Snapshot, TrackerStore } from "../../src/core/ports.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { SECOND } from "../../src/protocol/wire.js";
import type { SimulatedHost } from "./host.js";
import type { SharedStore } from "./store.js";
import { Connection } from "./store.js";

/** A stall, and a retirement that stalls. */
const LONGEST_ANSWER_MS = 12 * SECOND;

export class HostStore implements TrackerStore {
  /** The record that came with the rows that were read last, and from where. */
  lastRead: { record: TrackerRecord; kind: "disk" | "memory" } | null = null;
  /** What the disk told this host last, and which of its versions that was. */
  lastHeard: { record: TrackerRecord; version: number } | null = null;
  readonly #host: SimulatedHost;
  readonly #inner: TrackerStore;
  #isOnDisk = false;
  /** What the core's own decision on the disk saw. */
  #decidedOn: TrackerRecord | null = null;
  readonly #asked = new Set<{ at: number }>();

  constructor(host: SimulatedHost, shared: SharedStore, onRetired: () => void) {
    this.#host = host;
    const { browser } = host;
    this.#inner = browser.world.plan.failover
      ? new FailoverStore({
          open: () => shared.open(host),
          clock: { now: () => browser.wallClock() },
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
      else this.#host.browser.committedInMemory(this.#host, record, change, change.record ?? record);
      return decision;
    };
    return this.#ask(this.#inner.commit(readSet, decideHere));
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
    const { browser } = this.#host;
    browser.world.chronicle.count("failovers");
    browser.sending.adrift(this.#host);
    browser.ledger.memoryBegins(this.#host, this.lastHeard);
    const rows = this.#inner.inspect({ after: 0, limit: Infinity });
    void Promise.all([this.#inner.read(), rows]).then(([record, held]) =>
      browser.ledger.memoryBegan(this.#host, record, held),
    );
  }

  /** Every wait has an end. */
  #ask<Answer>(asking: Promise<Answer>): Promise<Answer> {
    if (!this.#host.browser.world.plan.failover) return asking;
    this.checkWaits();
    const ask = { at: this.#host.browser.world.scheduler.now };
    this.#asked.add(ask);
    return asking.finally(() => this.#asked.delete(ask));
  }

  checkWaits(): void {
    const { world } = this.#host.browser;
    const [oldest] = this.#asked;
    if (!oldest || this.#host.isFrozen || !this.#host.isAlive) return;
    const since = Math.max(oldest.at, this.#host.thawedAt);
    const isLate = world.scheduler.now > since + LONGEST_ANSWER_MS;
    world.chronicle.expect(!isLate, this.#host.name, () => "the store does not answer");
  }
}
