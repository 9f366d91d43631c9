import { namespaceOf } from "../protocol/names.js";
import { drainOutbox } from "./drain-outbox.js";

/** Chromium's alone, and in no TypeScript library. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

/** Delivers what waits when the browser says so; the site's own tags are left to it. */
export const serveSync = (): void =>
  addEventListener("sync", (event) => {
    const { tag } = event as SyncEvent;
    const namespace = namespaceOf(tag);
    if (namespace !== null) (event as SyncEvent).waitUntil(drainOutbox(namespace));
  });
