import { dirname } from "node:path";

/**
 * The root of this package. It is one step above both this file and the built files, which lie flat in `dist`: that is why
 * this file stands at the top of `src` and in no folder of it.
 */
export const packageFolder = dirname(import.meta.dirname);
