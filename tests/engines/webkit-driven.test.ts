import { hosts } from "./hosts.js";
import { lastHandlers } from "./page-end.js";
import { onEngine } from "./support/setting.js";
import { webDriver } from "./support/web-driver.js";

// What its own way of closing tabs can break; the rest runs in the browser that no driver changes.
onEngine(webDriver, hosts, lastHandlers);
