/** The host inside the page, where workers are forbidden: the same core on the same store. */
import { servePage } from "./page-port.js";

export const startPageHost = (port: MessagePort): void => servePage(port);
