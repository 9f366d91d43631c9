/** The project `hostile` runs the tests of pages once more where the page's own libraries have patched everything. */
import { inject } from "vitest";
import type { TrackingOptions } from "../../../src/main/index.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Set by the project `hostile` in vitest.config.ts. */
    hostilePage?: boolean;
  }
}

/** What every page of the site loads before the tracker. */
export const pageScripts = (isPatched = inject("hostilePage")): string[] =>
  isPatched ? ["/zone/zone.umd.js", "/fixture/hostile.js"] : [];

/** Where neither a test nor its site says which host it wants: the one in the page, which meets all that the page patches. */
export const defaultHost = (): Pick<TrackingOptions, "host"> =>
  inject("hostilePage") ? { host: "page" } : {};
