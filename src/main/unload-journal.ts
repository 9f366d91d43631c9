/**
 * What is not acknowledged when the page goes, in localStorage, one key a page: written at once, so that nothing cuts it
 * off, and taken in by the next page of the namespace (`journals.ts`). It stands there as it is sent, but without a
 * deadline, for who finds it tells nobody that it failed. What does not fit, or cannot be written, is left to the host.
 */
import type { BatchHead, SentCommand } from "../protocol/host.js";
import { toJson } from "../protocol/json.js";

/** In UTF-16 units, as browsers count: all of a site shares some 5 million. */
const MAX_LENGTH = 256 * 1024;

export interface JournaledBatch {
  commands: SentCommand[];
  /** Set before it is sent or journaled. */
  head?: BatchHead | undefined;
  /** So many of its first commands are there, where others may have found them: only a host can say that one of these was
   * not stored. */
  journaled: number;
  /** All of it, once it was needed. */
  text?: string | undefined;
}

/** A `CommandBatch` as JSON, in one go: command by command it takes several times as long. */
const jsonOf = (head: BatchHead | undefined, commands: SentCommand[]): string =>
  toJson({ ...head, commands });

export const textOf = (batch: JournaledBatch): string => (batch.text ??= jsonOf(batch.head, batch.commands));

export interface UnloadJournal {
  /** Writes these, and no others, in their order. */
  write(batches: JournaledBatch[], now: number): void;
  /** All is acknowledged. */
  remove(): void;
}

export const createUnloadJournal = (name: string, pageId: string): UnloadJournal => {
  const key = `${name}:journal:${pageId}`;
  let isWritten = false;
  return {
    write: (batches, now) => {
      const texts: string[] = [];
      const counts: number[] = [];
      let room = MAX_LENGTH;
      try {
        for (const batch of batches) {
          let { commands } = batch;
          let text = textOf(batch);
          while (text.length > room && commands.length) {
            commands = commands.slice(0, commands.length / 2);
            text = jsonOf(batch.head, commands);
          }
          if (!commands.length) break;
          room -= text.length;
          texts.push(text);
          counts.push(commands.length);
          if (commands !== batch.commands) break;
        }
        if (!texts.length) return;
        localStorage.setItem(key, `{"v":3,"pageId":"${pageId}","at":${now},"batches":[${texts.join()}]}`);
        isWritten = true;
        counts.forEach((count, index) => {
          const batch = batches[index]!;
          batch.journaled = Math.max(batch.journaled, count);
        });
      } catch {
        // Missing, forbidden or full; what is no JSON is told by who sends it.
      }
    },

    remove: () => {
      if (!isWritten) return;
      isWritten = false;
      try {
        localStorage.removeItem(key);
      } catch {
        // Forbidden since: who finds it sends what the host knows already.
      }
    },
  };
};
