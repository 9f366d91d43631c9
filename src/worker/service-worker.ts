/**
 * The service worker of a site that has none of its own. It answers no requests, so that a new version may take over at
 * once: what the former one was sending is sent again under the same ids.
 */
import { serveSync } from "./serve-sync.js";

declare const self: ServiceWorkerGlobalScope;

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
serveSync();
