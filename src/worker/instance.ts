import { systemIds } from "../adapters/system.js";

/** Of this run of the script: a page that sees another one on its port knows that the first host is gone. */
export const instance = systemIds.uuid();
