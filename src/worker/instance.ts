import { systemIds } from "../adapters/system.js";

/** The id of this run of the script. A page that receives another one on the same port knows that the first host is gone. */
export const instance = systemIds.uuid();
