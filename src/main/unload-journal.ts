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
  /** Others may have found it there: only a host can say from then on that it was not stored. */
  isJournaled?: boolean;
}
export interface JournaledBatch {
  entries: Journaled[];
  /** Holds for each of its commands; set once they are numbered. */
  shared?: Shared;
  /** All of it, as it stands in the journal. */
  text?: string;
}

/** In one go: for each of many commands it takes several times as long. */
const textOf = (shared: Shared | undefined, entries: Journaled[]): string =>
  JSON.stringify({ ...shared, deadline: undefined, commands: entries.map(({ command }) => command) });

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
    const fitting: Journaled[] = [];
    const texts: string[] = [];
    let room = MAX_LENGTH;
    for (const batch of batches) {
      let { entries } = batch;
      let text = (batch.text ??= textOf(batch.shared, entries));
      while (text.length > room && entries.length) {
        entries = entries.slice(0, entries.length / 2);
        text = textOf(batch.shared, entries);
      }
      room -= text.length;
      texts.push(text);
      fitting.push(...entries);
      if (entries !== batch.entries) break;
    }
    if (!fitting.length) return;
    try {
      localStorage.setItem(
        this.#key,
        `{"v":2,"pageId":"${this.#pageId}","at":${Date.now()},"batches":[${texts.join()}]}`,
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
