/**
 * What is not acknowledged when the page goes, in localStorage, one key a page: written at once, so that nothing cuts it
 * off, and taken in by the next page of the namespace (`journals.ts`). Commands stand in it without a deadline, for who
 * finds them tells nobody that they failed. What does not fit, or cannot be written, is left to the host.
 */
import type { SentCommand, Shared } from "../protocol/host.js";

/** In UTF-16 units, as browsers count: all of a site shares some 5 million. */
const MAX_LENGTH = 256 * 1024;

export interface Journaled {
  command: SentCommand;
  /** As it stands in the journal. */
  text?: string;
  /** Others may have found it there: only a host can say from then on that it was not stored. */
  isJournaled?: boolean;
}
export interface JournaledBatch {
  entries: Journaled[];
  /** Holds for each of its commands; set once they are numbered. */
  shared?: Shared;
}

export class UnloadJournal {
  readonly #key: string;
  readonly #pageId: string;
  #isWritten = false;

  constructor(name: string, pageId: string) {
    this.#key = `${name}:journal:${pageId}`;
    this.#pageId = pageId;
  }

  /** Writes these, and no others, in their order. */
  write(batches: JournaledBatch[]): void {
    let length = 0;
    const fitting = batches.flatMap(({ entries, shared }) => {
      const head = JSON.stringify({ ...shared, deadline: undefined }).slice(0, -1);
      return entries.filter((entry) => {
        if (length >= MAX_LENGTH) return false;
        entry.text ??= `${head},${JSON.stringify(entry.command).slice(1)}`;
        return (length += entry.text.length) < MAX_LENGTH;
      });
    });
    if (!fitting.length) return;
    const commands = fitting.map(({ text }) => text).join();
    try {
      localStorage.setItem(
        this.#key,
        `{"v":1,"pageId":"${this.#pageId}","at":${Date.now()},"commands":[${commands}]}`,
      );
      for (const entry of fitting) entry.isJournaled = this.#isWritten = true;
    } catch {
      // Missing, forbidden or full.
    }
  }

  /** All is acknowledged. */
  remove(): void {
    if (this.#isWritten) localStorage.removeItem(this.#key);
    this.#isWritten = false;
  }
}
