/**
 * Background Sync for a site that has a service worker of its own, by one line in it:
 * `importScripts("/background-sync.js")`, or `import "people-tracking-sdk/background-sync"` where it is bundled. Nothing
 * else of that worker is touched.
 */
import { serveSync } from "./serve-sync.js";

serveSync();
