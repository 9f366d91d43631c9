/** What a page does once tracking has started, in a file that it need not load before. */
import type { TrackerState } from "../protocol/api.js";
import type { CallQueue } from "./call-queue.js";
import type { HostConnection } from "./host/host-connection.js";
import { trustedScriptUrl } from "./host/trusted-script-url.js";
import { eraseJournals, takeInJournals } from "./journals.js";
import type { PageViews } from "./page-views.js";
import type { Settings } from "./tracking-options.js";

/** Of the tracking that has started. */
interface Started {
  connection: HostConnection;
  pages: Pick<PageViews, "load">;
  queue: Pick<CallQueue, "hasUndecided">;
  settings: Settings;
  /** Records a page view of the present page. */
  viewPage: () => Promise<unknown>;
}

export interface AfterStart {
  onState(state: TrackerState): void;
  /** The host has erased everything. */
  onErased(): void;
}

/** @param isErased - the host has erased everything before */
export const afterStart = (
  { connection, pages, queue, settings, viewPage }: Started,
  state: TrackerState,
  isErased: boolean,
  signal: AbortSignal,
): AfterStart => {
  const { name, serviceWorkerUrl, pageViews, ignoreSearch } = settings;
  const prefix = `${name}:journal:`;
  if (isErased) eraseJournals(prefix);
  takeInJournals(connection, prefix, signal);
  if (pageViews === "spa") {
    const follow = async (): Promise<void> => {
      const { followNavigations } = await import("./client-side-navigations.js");
      followNavigations({
        pageLoad: pages.load,
        ignoreSearch,
        record: () => void viewPage(),
        signal,
      });
    };
    follow().catch(() => {}); // the site does not serve the file: page loads still count
  }
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
