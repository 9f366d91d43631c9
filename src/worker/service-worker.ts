/**
 * The service worker of a site that has none of its own. It handles no `fetch` events, so a new version can take over at once.
 * What the former one was sending is sent again under the same ids.
 */
import { serveSync } from "./serve-sync.js";

declare const self: ServiceWorkerGlobalScope;

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
serveSync();
