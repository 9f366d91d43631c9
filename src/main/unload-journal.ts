/**
 * Writes the calls that no host has decided to localStorage when the page goes, one key a page: at once, so that nothing
 * cuts it off. The next page of the namespace takes them in (`journals.ts`). They are kept as they are sent, but without a
 * deadline, for the page that finds them reports none as failed. What does not fit, or cannot be written, is left to the
 * host.
 */
import type { HostKind } from "../protocol/api.js";
import { jsonOf, textOf } from "./call-batch.js";
import type { CallBatch } from "./call-batch.js";
import { documentText } from "./document-text.js";

/** In UTF-16 units, as browsers count: all of a site shares some 5 million. */
const MAX_LENGTH = 256 * 1024;

export interface UnloadJournal {
  /** Replaces what it holds by these batches, in their order. */
  write(batches: CallBatch[], now: number): void;
  /** A host has decided all of it. */
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
        // Missing, forbidden or full; a batch that is no JSON is reported by its sender.
      }
    },

    remove: () => {
      if (!isWritten) return;
      isWritten = false;
      try {
        localStorage.removeItem(key);
      } catch {
        // Forbidden since: the page that finds it sends what the host has processed already.
      }
    },
  };
};

/**
 * Whether a batch that was just posted may be lost with the page without a `pagehide` event: a hidden page, as phones end
 * them; a page that closes itself, which in WebKit runs no `pagehide` and in Chromium writes nothing any more. Chromium
 * alone keeps a shared worker (`extendedLifetime`). Only `vendor`, which the HTML standard fixes to one of three values,
 * distinguishes it from the others everywhere: `userAgentData` is missing on insecure origins.
 */
export const mayBeLost = (host: HostKind | undefined): boolean =>
  host !== "shared" || navigator.vendor !== "Google Inc." || documentText("visibilityState") === "hidden";
