/** The host inside the page, where workers are forbidden: the same core on the same store. */
import { comeBack, leave } from "../adapters/indexeddb/page-absence.js";
import { servePage } from "./page-port.js";

export const startPageHost = (port: MessagePort): void => {
  // What the page says at its port as it goes comes too late.
  addEventListener("pagehide", leave);
  addEventListener("pageshow", comeBack);
  servePage(port);
};
