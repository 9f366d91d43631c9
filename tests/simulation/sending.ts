/**
 * What must hold of an origin's requests: one sender at a time, none before `Retry-After` ends, none when opted out, no
 * batch that was read when it might not be sent, and none compressed where compression does not pass.
 */
import type { DeliveryRecord, TrackerRecord } from "../../src/core/tracker-record.js";
import { isOptedOut } from "../../src/core/tracker-record.js";
import { SECOND } from "../../src/protocol/wire.js";
import { REASONS } from "../support/people-service.js";
import type { Actor } from "./actor.js";
import type { Disk } from "./disk.js";
import type { Origin } from "./origin.js";

/** A host as it sends: with where its store is, and what it read there last. */
export type Sender = Actor & {
  readonly store: {
    readonly kind: "disk" | "memory";
    readonly lastRead: { record: TrackerRecord; kind: "disk" | "memory" } | null;
  };
};

interface Sent {
  host: Sender;
  /** What excuses a second sender: the first one froze, a clock was set, all was erased. */
  excuses: number;
  /** What it sends it read in its memory, or it has lost the disk, and with that its lease, since. */
  isAdrift: boolean;
}
interface Bound {
  host: Sender;
  /** It was heard, and kept, in the host's memory only. */
  isInMemory: boolean;
  /** Its host has retired, and the disk knows of it. */
  isHandedOver?: true;
  from: number;
  until: number;
  excuses: number;
}

/** The key is unknown, or its scopes are wrong. */
const KEY_ERRORS = new Set([2018, 4031]);
const EARLY_ATTEMPTS_APART_MS = 5 * SECOND;
/** A host needs a moment to store what it heard, and others to hear of it. */
const GRACE_MS = 10 * SECOND;

export class Sending {
  readonly #origin: Origin;
  readonly #disk: Disk;
  readonly #underWay = new Set<Sent>();
  #bounds: Bound[] = [];
  #optedOutSince = Infinity;

  constructor(origin: Origin, disk: Disk) {
    this.#origin = origin;
    this.#disk = disk;
  }

  began(host: Sender, isCompressed: boolean): Sent {
    const { chronicle, scheduler } = this.#origin.environment;
    const isAdrift =
      host.store.lastRead?.kind === "memory" ||
      host.store.kind === "memory" ||
      scheduler.now < this.#disk.silentUntil(host);
    for (const other of this.#underWay) {
      const isOwn = other.host === host || other.isAdrift || isAdrift;
      const counts = !isOwn && other.host.isAlive && other.excuses === this.#origin.excuses;
      chronicle.expect(!counts, host.name, () => `sends while ${other.host.name} does`);
    }
    const read = host.store.lastRead?.record;
    chronicle.expect(
      read?.lease?.holder === host.name && !isOptedOut(read),
      host.name,
      () => "sends what it read when it might not send",
    );
    const { uncompressed } = read?.delivery ?? {};
    const now = this.#origin.wallClock();
    chronicle.expect(
      !isCompressed || !uncompressed || now < uncompressed.decidedAt || now >= uncompressed.endsAt,
      host.name,
      () => "sends a compressed batch, and none passes here",
    );
    const sent = { host, excuses: this.#origin.excuses, isAdrift };
    this.#underWay.add(sent);
    return sent;
  }

  /** A profile that cannot be registered is no failure and no matter of the key; pages that are online make no storm. */
  committed(host: Actor, before: DeliveryRecord, after: DeliveryRecord): void {
    const { chronicle } = this.#origin.environment;
    const keyError = after.keyStop?.error.code;
    chronicle.expect(
      keyError === undefined || KEY_ERRORS.has(keyError),
      host.name,
      () => `stops the key for ${keyError}`,
    );
    const hasFailed = after.failures > before.failures;
    chronicle.expect(
      !hasFailed || after.lastError?.code !== REASONS.UNREGISTRABLE,
      host.name,
      () => "backs off, for one profile cannot be registered",
    );
    const [earlier, later] = [before.earlyAttemptAt, after.earlyAttemptAt];
    chronicle.expect(
      earlier === undefined ||
        later === undefined ||
        later === earlier ||
        later - earlier >= EARLY_ATTEMPTS_APART_MS ||
        this.#origin.clockWasSet,
      host.name,
      () => "ends back-off twice in 5 s",
    );
  }

  /** The disk fell silent for it: its lease runs out, and others follow. */
  adrift(host: Actor): void {
    for (const sent of this.#underWay) if (sent.host === host) sent.isAdrift = true;
  }

  /** What it heard in memory binds all. */
  retired(host: Actor): void {
    const from = this.#origin.environment.scheduler.now + GRACE_MS;
    this.#bounds = this.#bounds.map((bound) =>
      bound.host === host ? { ...bound, isInMemory: false, isHandedOver: true, from } : bound,
    );
  }

  ended(sent: Sent): void {
    this.#underWay.delete(sent);
  }

  heardRetryAfter(host: Sender, retryAfterMs: number): void {
    const { now } = this.#origin.environment.scheduler;
    const { excuses } = this.#origin;
    const isInMemory = host.store.kind === "memory";
    this.#bounds.push({ host, isInMemory, from: now + GRACE_MS, until: now + retryAfterMs, excuses });
  }

  /** What was heard just now may not have been kept. */
  storeFailed(): void {
    const { now } = this.#origin.environment.scheduler;
    this.#bounds = this.#bounds.filter(({ from }) => now >= from);
  }

  consentChanged(): void {
    const { scheduler } = this.#origin.environment;
    this.#optedOutSince = isOptedOut(this.#disk.record)
      ? Math.min(this.#optedOutSince, scheduler.now)
      : Infinity;
  }

  checkRequest(host: Sender): void {
    const { scheduler, chronicle } = this.#origin.environment;
    const { now } = scheduler;
    // Who thaws goes on with what it had read; of batches, `began` asks for more.
    const since = Math.max(this.#optedOutSince, host.thawedAt);
    if (host.store.kind === "memory") return this.#checkBounds(host);
    const isAllowed = this.#optedOutSince === Infinity || now < since + GRACE_MS;
    chronicle.expect(isAllowed, host.name, () => "sends though opted out");
    this.#checkBounds(host);
  }

  #checkBounds(host: Sender): void {
    const { scheduler, chronicle } = this.#origin.environment;
    const { now } = scheduler;
    const { excuses } = this.#origin;
    this.#bounds = this.#bounds.filter(
      (bound) => bound.until > now && bound.excuses === excuses && (bound.host.isAlive || bound.isHandedOver),
    );
    const isInMemory = host.store.kind === "memory";
    const bound = this.#bounds.find(
      (one) => now >= one.from && (one.host === host || (!isInMemory && !one.isInMemory)),
    );
    chronicle.expect(!bound, host.name, () => "sends before Retry-After has ended");
  }
}
