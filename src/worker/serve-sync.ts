import { drainOutbox } from "./drain-outbox.js";

/** Chromium's alone, and in no TypeScript library. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

const PREFIX = "people-tracking:";

/** Delivers what waits when the browser says so; the site's own tags are left to it. */
export const serveSync = (): void =>
  addEventListener("sync", (event) => {
    const { tag } = event as SyncEvent;
    if (tag.startsWith(PREFIX)) (event as SyncEvent).waitUntil(drainOutbox(tag.slice(PREFIX.length)));
  });
