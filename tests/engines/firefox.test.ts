import { noBackgroundSync } from "./background-sync.js";
import { consent, lastingConsent } from "./consent.js";
import { delivery, restarts } from "./delivery.js";
import { hosts } from "./hosts.js";
import { firefox } from "./support/puppeteer-engine.js";
import { closings, lastHandlers } from "./page-end.js";
import { onEngine } from "./support/setting.js";
import { backForwardCache, tabs } from "./tabs.js";

onEngine(
  firefox,
  tabs,
  backForwardCache,
  delivery,
  restarts,
  hosts,
  consent,
  lastingConsent,
  closings,
  lastHandlers,
  noBackgroundSync,
);
