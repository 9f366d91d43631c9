/** One origin's disk: what is on it, and how it misbehaves at the time. */
import { MemoryTrackerStore } from "../../src/core/failover/memory-tracker-store.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { emptyRecord } from "../../src/core/tracker-record.js";
import type { Actor } from "./actor.js";
import type { Origin } from "./origin.js";

export class Disk {
  rows = new MemoryTrackerStore();
  /** As it stands after the last commit. */
  record: TrackerRecord = emptyRecord();
  /** Counts what changes session, selection or rows. */
  version = 0;
  /** Counts how often it was emptied: connections of before are lost. */
  life = 0;
  /** When the next transaction can begin. */
  freeAt = 0;
  readonly #origin: Origin;
  #brokenUntil = 0;
  #silentUntil = 0;
  #fullUntil = 0;
  readonly #silentFor = new Map<Actor, number>();

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** A frozen worker's transaction, say, before which nobody else's begins. */
  stallFor(ms: number): void {
    this.#fault("store: stalls");
    this.freeAt = Math.max(this.freeAt, this.#now + ms);
    this.#origin.excuse();
  }

  /** Fails whatever is asked of it. */
  breakFor(ms: number): void {
    this.#fault("store: broken for a while");
    this.#brokenUntil = this.#now + ms;
  }

  fallSilent(ms: number): void {
    this.#fault("disk: silent for a while");
    this.#silentUntil = this.#now + ms;
    this.#origin.excuse();
  }

  fallSilentFor(host: Actor, ms: number): void {
    this.#fault("disk: silent for one host");
    this.#silentFor.set(host, this.#now + ms);
    this.#origin.excuse();
  }

  fillUp(ms: number): void {
    this.#fault("disk: full");
    // Who cannot write cannot renew its lease either.
    this.#origin.excuse();
    this.#fullUntil = this.#now + ms;
  }

  refuse(ms: number): void {
    this.#fault("disk: refuses");
    this.#brokenUntil = this.#now + ms;
    this.#origin.excuse();
  }

  /** @returns the record as it stood before */
  empty(how: string): TrackerRecord {
    this.#fault(`disk: ${how}`);
    this.#origin.excuse();
    if (this.#origin.environment.scheduler.chance(0.5)) this.life += 1;
    this.rows = new MemoryTrackerStore();
    this.version += 1;
    const { record } = this;
    this.record = emptyRecord();
    return record;
  }

  heal(): void {
    this.#brokenUntil = this.#silentUntil = this.#fullUntil = 0;
    this.#silentFor.clear();
  }

  /** Until when it says nothing to this host. */
  silentUntil(host: Actor): number {
    return Math.max(this.#silentUntil, this.#silentFor.get(host) ?? 0);
  }

  get isSilentForAll(): boolean {
    return this.#now < this.#silentUntil;
  }

  get isFull(): boolean {
    return this.#now < this.#fullUntil;
  }

  get isBroken(): boolean {
    return this.#now < this.#brokenUntil;
  }

  get #now(): number {
    return this.#origin.environment.scheduler.now;
  }

  #fault(kind: string): void {
    this.#origin.environment.chronicle.fault(this.#origin.name, kind);
  }
}
