import { noBackgroundSync } from "./background-sync.js";
import { consent, lastingConsent } from "./consent.js";
import { delivery, restarts } from "./delivery.js";
import { hosts } from "./hosts.js";
import { closings } from "./page-end.js";
import { miniBrowser } from "./support/mini-browser.js";
import { onEngine } from "./support/setting.js";
import { backForwardCache, tabs } from "./tabs.js";

onEngine(
  miniBrowser,
  tabs,
  backForwardCache,
  delivery,
  restarts,
  hosts,
  consent,
  lastingConsent,
  closings,
  noBackgroundSync,
);
