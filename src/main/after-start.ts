/** What a page does once tracking is on, and need not load before. */
import type { TrackerState } from "../protocol/api.js";
import type { documentText } from "./document-text.js";
import { eraseJournals, takeInJournals } from "./journals.js";
import type { Tracking } from "./tracking.js";

export interface AfterStart {
  /** The host told this. */
  told(state: TrackerState): void;
  /** The host has erased everything. */
  erased(): void;
}

/**
 * @param isErased - the host has erased everything before
 * @param trust - makes a script's URL one that the page may use
 * @param read - reads the document. Both are given: what is imported from the entry becomes one of its exports
 */
export const afterStart = (
  { connection, queue, settings }: Tracking,
  state: TrackerState,
  isErased: boolean,
  trust: (url: string) => string,
  read: typeof documentText,
  signal: AbortSignal,
): AfterStart => {
  const { name, serviceWorkerUrl } = settings;
  const prefix = `${name}:journal:`;
  if (isErased) eraseJournals(prefix);
  takeInJournals(connection, prefix, signal);
  let tellSync: ((state: TrackerState) => void) | undefined;
  // An element with this id is no function.
  const { SyncManager } = globalThis as { SyncManager?: unknown };
  const canSync = typeof SyncManager === "function" && "serviceWorker" in navigator;
  if (serviceWorkerUrl && canSync && !signal.aborted) {
    const follow = async (): Promise<void> => {
      const { askForSync } = await import("./ask-for-sync.js");
      const url = trust(serviceWorkerUrl);
      tellSync = await askForSync({
        url,
        tag: name,
        hasUndecided: queue.hasUndecided,
        read,
        signal,
      });
      tellSync(state);
    };
    follow().catch(() => {}); // without it the next visit delivers
  }
  return {
    told(next) {
      state = next;
      tellSync?.(next);
    },
    erased: () => eraseJournals(prefix),
  };
};
