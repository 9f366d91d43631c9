import { consent, lastingConsent } from "./consent.js";
import { delivery, restarts } from "./delivery.js";
import { hosts } from "./hosts.js";
import { firefox } from "./support/puppeteer-engine.js";
import { onEngine } from "./support/setting.js";
import { tabs } from "./tabs.js";

onEngine(firefox, tabs, delivery, restarts, hosts, consent, lastingConsent);
