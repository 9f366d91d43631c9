/** What a browser is to all that runs in it: a name, a wall clock, a lock, a network, and a user who has decided things. */
import type { WireAnswer } from "../../src/core/ports.js";
import type { Actor } from "./actor.js";
import type { Environment } from "./environment.js";

export class Origin {
  readonly environment: Environment;
  readonly name: string;
  lockHolder: { host: Actor } | null = null;
  clockOffsetMs = 0;
  /** What depends on the same clock at the call and later is no longer expected. */
  clockWasSet = false;
  /** Counts what makes two senders, or a forgotten promise, nobody's fault: freezes, clocks that are set, erasing. */
  excuses = 0;
  offlineUntil = 0;
  /** What comes of compressed bodies on its way to the service; `null` where they pass. */
  compressedAnswer: WireAnswer | null = null;
  sendsPrivacyControl = false;
  /** Of the site's worker, for pages that open now. */
  version = 1;
  /** What users have chosen so far. */
  readonly choices = new Set<"in" | "out">();
  /** How often a user let go of what was rejected. */
  discards = 0;
  #made = 0;

  constructor(environment: Environment, name: string) {
    this.environment = environment;
    this.name = name;
  }

  wallClock(): number {
    return this.environment.scheduler.now + this.clockOffsetMs;
  }

  setClock(byMs: number): void {
    this.clockOffsetMs += byMs;
    this.environment.chronicle.fault(this.name, `clock: set ${byMs < 0 ? "back" : "forward"}`);
    this.clockWasSet = true;
    this.excuse();
  }

  excuse(): void {
    this.excuses += 1;
  }

  /** A host has erased all that was stored; the record has this generation from here on. */
  erased(_generation: number): void {
    this.excuse();
  }

  /** For the names of its pages and hosts. */
  nextNumber(): number {
    return ++this.#made;
  }
}
