/** What pages of one origin have journaled as they ended, as localStorage keeps it. */
import type { Command } from "../../src/protocol/host.js";
import { DAY } from "../../src/protocol/wire.js";
import type { OutboxModel } from "./outbox-model.js";
import type { Origin } from "./origin.js";

interface Journal {
  at: number;
  commands: readonly Command[];
}

/** So long a page takes in a journal, and hosts remember its numbers. */
const JOURNAL_LIFETIME_MS = 45 * DAY;

export class Journals {
  readonly #origin: Origin;
  readonly #outbox: OutboxModel;
  readonly #byPage = new Map<string, Journal>();

  constructor(origin: Origin, outbox: OutboxModel) {
    this.#origin = origin;
    this.#outbox = outbox;
  }

  get count(): number {
    return this.#byPage.size;
  }

  write(pageId: string, commands: readonly Command[]): void {
    this.#byPage.set(pageId, { at: this.#origin.wallClock(), commands });
    this.#outbox.journaled(pageId, commands);
  }

  /** The journals of other pages that are young enough to count. */
  ofOthersThan(pageId: string): [pageId: string, journal: Journal][] {
    const oldest = this.#origin.wallClock() - JOURNAL_LIFETIME_MS;
    for (const [owner, { at }] of this.#byPage) {
      if (at >= oldest) continue;
      this.#byPage.delete(owner);
      this.#outbox.journalDropped(owner);
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
