import type { Section } from "./section.js";

/** In the order of the report. */
export const sections: readonly Section[] = [];
