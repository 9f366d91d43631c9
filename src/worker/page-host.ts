/** The host inside the page, where workers are forbidden: the same core on the same store. */
import { comeBack, leave } from "../adapters/indexeddb/page-absence.js";
import { servePage } from "./page-port.js";

export const startPageHost = (port: MessagePort): void => {
  // The page's own message as it goes would arrive too late.
  addEventListener("pagehide", leave);
  addEventListener("pageshow", comeBack);
  servePage(port);
};
