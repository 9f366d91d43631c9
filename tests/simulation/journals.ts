/** What pages of one origin have journaled as they ended, as localStorage keeps it. */
import type { Command } from "../../src/protocol/host.js";
import { DAY } from "../../src/protocol/wire.js";
import type { Ledger } from "./ledger.js";
import type { Origin } from "./origin.js";

interface Journal {
  at: number;
  commands: readonly Command[];
}

/** So long a page takes in a journal, and hosts remember its numbers. */
const JOURNAL_LIFETIME_MS = 45 * DAY;

export class Journals {
  readonly #origin: Origin;
  readonly #ledger: Ledger;
  readonly #byPage = new Map<string, Journal>();

  constructor(origin: Origin, ledger: Ledger) {
    this.#origin = origin;
    this.#ledger = ledger;
  }

  get count(): number {
    return this.#byPage.size;
  }

  write(pageId: string, commands: readonly Command[]): void {
    this.#byPage.set(pageId, { at: this.#origin.wallClock(), commands });
    this.#ledger.journaled(pageId, commands);
  }

  /** The journals of other pages that are young enough to count. */
  ofOthersThan(pageId: string): [pageId: string, journal: Journal][] {
    const oldest = this.#origin.wallClock() - JOURNAL_LIFETIME_MS;
    for (const [owner, { at }] of this.#byPage) {
      if (at >= oldest) continue;
      this.#byPage.delete(owner);
      this.#ledger.journalDropped(owner);
    }
    return [...this.#byPage].filter(([owner]) => owner !== pageId);
  }

  /** @param taken Only if the page has written no other one since. */
  remove(pageId: string, taken?: Journal): void {
    if (!taken || this.#byPage.get(pageId) === taken) this.#byPage.delete(pageId);
  }

  clear(): void {
    this.#byPage.clear();
  }
}
