/**
 * What must hold of an origin's requests: one sender at a time, none before `Retry-After` ends, none when opted out, and
 * no batch that was read when it might not be sent.
 */
import { isOptedOut } from "../../src/core/tracker-record.js";
import { SECOND } from "../../src/protocol/wire.js";
import type { Browser } from "./browser.js";
import type { SimulatedHost } from "./host.js";

interface Sent {
  host: SimulatedHost;
  /** What excuses a second sender: the first one froze, a clock was set, all was erased. */
  excuses: number;
}
interface Bound {
  host: SimulatedHost;
  from: number;
  until: number;
  excuses: number;
}

/** A host needs a moment to store what it heard, and others to hear of it. */
const GRACE_MS = 10 * SECOND;

export class Sending {
  readonly #browser: Browser;
  readonly #underWay = new Set<Sent>();
  #bounds: Bound[] = [];
  #optedOutSince = Infinity;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  began(host: SimulatedHost): Sent {
    const { chronicle } = this.#browser.world;
    for (const other of this.#underWay) {
      const counts = other.host !== host && other.host.isAlive && other.excuses === this.#browser.excuses;
      chronicle.expect(!counts, host.name, () => `sends while ${other.host.name} does`);
    }
    const read = host.lastRead;
    chronicle.expect(
      read?.lease?.holder === host.name && !isOptedOut(read),
      host.name,
      () => "sends what it read when it might not send",
    );
    const sent = { host, excuses: this.#browser.excuses };
    this.#underWay.add(sent);
    return sent;
  }

  ended(sent: Sent): void {
    this.#underWay.delete(sent);
  }

  heardRetryAfter(host: SimulatedHost, retryAfterMs: number): void {
    const { now } = this.#browser.world.scheduler;
    const { excuses } = this.#browser;
    this.#bounds.push({ host, from: now + GRACE_MS, until: now + retryAfterMs, excuses });
  }

  /** What was heard just now may not have been kept. */
  storeFailed(): void {
    const { now } = this.#browser.world.scheduler;
    this.#bounds = this.#bounds.filter(({ from }) => now >= from);
  }

  consentChanged(): void {
    const { scheduler } = this.#browser.world;
    this.#optedOutSince = isOptedOut(this.#browser.store.record)
      ? Math.min(this.#optedOutSince, scheduler.now)
      : Infinity;
  }

  checkRequest(host: SimulatedHost): void {
    const { scheduler, chronicle } = this.#browser.world;
    const { now } = scheduler;
    const { excuses } = this.#browser;
    // Who thaws goes on with what it had read; of batches, `began` asks for more.
    const since = Math.max(this.#optedOutSince, host.thawedAt);
    const isAllowed = this.#optedOutSince === Infinity || now < since + GRACE_MS;
    chronicle.expect(isAllowed, host.name, () => "sends though opted out");
    this.#bounds = this.#bounds.filter(
      (bound) => bound.until > now && bound.excuses === excuses && bound.host.isAlive,
    );
    const bound = this.#bounds.find(({ from }) => now >= from);
    chronicle.expect(!bound, host.name, () => "sends before Retry-After has ended");
  }
}
