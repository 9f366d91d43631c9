/** What a page does once tracking has started, in a file that it need not load before. */
import type { TrackerState } from "../protocol/api.js";
import type { CallQueue } from "./call-queue.js";
import type { documentText as DocumentText } from "./document-text.js";
import type { HostConnection } from "./host/host-connection.js";
import { eraseJournals, takeInJournals } from "./journals.js";
import type { Settings } from "./tracking-options.js";

/** Of the tracking that has started. */
interface Started {
  connection: HostConnection;
  queue: Pick<CallQueue, "hasUndecided">;
  settings: Settings;
}

export interface AfterStart {
  onState(state: TrackerState): void;
  /** The host has erased everything. */
  onErased(): void;
}

/**
 * @param isErased - the host has erased everything before
 * @param trustedScriptUrl, documentText - are given: what is imported from the entry becomes one of its exports
 */
export const afterStart = (
  { connection, queue, settings }: Started,
  state: TrackerState,
  isErased: boolean,
  trustedScriptUrl: (url: string) => string,
  documentText: typeof DocumentText,
  signal: AbortSignal,
): AfterStart => {
  const { name, serviceWorkerUrl } = settings;
  const prefix = `${name}:journal:`;
  if (isErased) eraseJournals(prefix);
  takeInJournals(connection, prefix, signal);
  let syncOnState: ((state: TrackerState) => void) | undefined;
  // An element with this id is no function.
  const { SyncManager } = globalThis as { SyncManager?: unknown };
  const canSync = typeof SyncManager === "function" && "serviceWorker" in navigator;
  if (serviceWorkerUrl && canSync && !signal.aborted) {
    const follow = async (): Promise<void> => {
      const { requestSync } = await import("./request-sync.js");
      syncOnState = await requestSync({
        url: trustedScriptUrl(serviceWorkerUrl),
        tag: name,
        hasUndecided: queue.hasUndecided,
        documentText,
        signal,
      });
      syncOnState(state);
    };
    follow().catch(() => {}); // without it the next visit delivers
  }
  return {
    onState: (next) => {
      state = next;
      syncOnState?.(next);
    },
    onErased: () => eraseJournals(prefix),
  };
};
