import { namespaceOf } from "../protocol/names.js";
import { drainOutbox } from "./drain-outbox.js";

/** An event of Chromium only, which no TypeScript library declares. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

/** Delivers the outbox when the browser fires `sync` with one of our tags. The site's own tags are not touched. */
export const serveSync = (): void =>
  addEventListener("sync", (event) => {
    const { tag } = event as SyncEvent;
    const namespace = namespaceOf(tag);
    if (namespace !== null) (event as SyncEvent).waitUntil(drainOutbox(namespace));
  });
