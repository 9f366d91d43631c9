/** What happened: the last events of a run, faults by kind, and what must not have happened. */
import type { Scheduler } from "./scheduler.js";

const KEPT = 120;

export class Chronicle {
  readonly faults: Record<string, number> = {};
  readonly counts: Record<string, number> = {};
  violation: string | null = null;
  readonly #scheduler: Scheduler;
  readonly #print: ((line: string) => void) | undefined;
  readonly #last: [at: number, who: string, what: string][] = [];

  /** @param print Told of every event at once. */
  constructor(scheduler: Scheduler, print?: (line: string) => void) {
    this.#scheduler = scheduler;
    this.#print = print;
  }

  tell(who: string, what: string): void {
    const event: [number, string, string] = [this.#scheduler.now, who, what];
    this.#print?.(lineOf(event));
    this.#last.push(event);
    if (this.#last.length > 2 * KEPT) this.#last.splice(0, KEPT);
  }

  fault(who: string, kind: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    this.tell(who, `FAULT ${kind}`);
  }

  count(kind: string, by = 1): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + by;
  }

  /** The first one counts: what follows from it says nothing new. */
  violated(who: string, what: string): void {
    this.violation ??= `${who}: ${what}`;
    this.tell(who, `VIOLATION ${what}`);
    this.#scheduler.isStopped = true;
  }

  expect(holds: boolean, who: string, what: () => string): void {
    if (!holds) this.violated(who, what());
  }

  get lastEvents(): string[] {
    return this.#last.slice(-KEPT).map(lineOf);
  }
}

const lineOf = ([at, who, what]: [number, string, string]): string =>
  `${new Date(at).toISOString()} ${who.padEnd(16)} ${what}`;
