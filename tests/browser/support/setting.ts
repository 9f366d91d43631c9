/** A fresh site and a fresh browser for each test. */
import { afterEach, beforeEach } from "vitest";
import type { BrowserContext } from "playwright";
import type { Site, SiteOptions } from "./site.js";
import { startSite } from "./site.js";
import type { Person } from "./visit.js";
import { newPerson } from "./visit.js";

export interface Setting {
  site: Site;
  person: Person;
  browser: BrowserContext;
}

/** The setting of the running test; its fields are set before each. */
export const useSetting = (options: SiteOptions = {}): Setting => {
  const setting = {} as Setting;
  beforeEach(async () => {
    const starting = startSite(options);
    setting.person = await newPerson();
    [setting.site, setting.browser] = await Promise.all([starting, setting.person.browse()]);
  });
  afterEach(async () => {
    await setting.person.remove();
    await setting.site.close();
  });
  return setting;
};
