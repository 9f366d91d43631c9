import { consent, lastingConsent } from "./consent.js";
import { delivery, restarts } from "./delivery.js";
import { hosts } from "./hosts.js";
import { chromium } from "./support/puppeteer-engine.js";
import { lastHandlers } from "./page-end.js";
import { onEngine } from "./support/setting.js";
import { backForwardCache, tabs } from "./tabs.js";

// Its pages may only close themselves where a script opened them: tests/browser/page-end.test.ts does that.
onEngine(chromium, tabs, backForwardCache, delivery, restarts, hosts, consent, lastingConsent, lastHandlers);
