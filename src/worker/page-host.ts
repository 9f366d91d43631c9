/** Starts the host inside the page, for pages where workers are unavailable: the same core on the same store. */
import { abortForAbsence, resumeAfterAbsence } from "../adapters/indexeddb/page-absence.js";
import { servePage } from "./page-port.js";

export const startPageHost = (port: MessagePort): void => {
  // The page's own message as it goes would arrive too late.
  addEventListener("pagehide", abortForAbsence);
  addEventListener("pageshow", resumeAfterAbsence);
  servePage(port);
};
