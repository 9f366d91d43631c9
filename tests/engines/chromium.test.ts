import { consent, lastingConsent } from "./consent.js";
import { delivery, restarts } from "./delivery.js";
import { hosts } from "./hosts.js";
import { chromium } from "./support/puppeteer-engine.js";
import { onEngine } from "./support/setting.js";
import { backForwardCache, tabs } from "./tabs.js";

onEngine(chromium, tabs, backForwardCache, delivery, restarts, hosts, consent, lastingConsent);
