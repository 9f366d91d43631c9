/**
 * A fresh site for each test, on a port of its own: an origin without a past. The service and the browser take long to
 * start: all tests of a file share them, but for a browser that a test has ended.
 */
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { BrowserContext } from "playwright";
import type { PeopleService } from "../../../server/src/index.js";
import type { Site, SiteOptions } from "./site.js";
import { startService, startSite } from "./site.js";
import type { Person } from "./visit.js";
import { newPerson } from "./visit.js";

export interface Setting {
  site: Site;
  person: Person;
  browser: BrowserContext;
}

export interface SettingOptions extends SiteOptions {
  /** Where tests change more of a browser than what belongs to a page or to an origin. */
  isBrowserFresh?: boolean;
  /** Where tests compare with all that the service has, of whichever person. */
  isServiceFresh?: boolean;
}

/** The setting of the running test; its fields are set before each. */
export const useSetting = ({ isBrowserFresh, isServiceFresh, ...options }: SettingOptions = {}): Setting => {
  const setting = {} as Setting;
  let shared: PeopleService | undefined;
  let person: Person | undefined;
  let hasEnded = false;
  const removePerson = async (): Promise<void> => {
    await person?.remove();
    person = undefined;
  };
  const browse = async (): Promise<void> => {
    if (person) return;
    setting.person = person = await newPerson();
    setting.browser = await person.browse();
    hasEnded = false;
    setting.browser.once("close", () => (hasEnded = true));
  };
  beforeAll(async () => {
    if (!isServiceFresh) shared = await startService();
  });
  beforeEach(async () => {
    const starting = startSite({ ...options, ...(shared && { service: shared }) });
    [setting.site] = await Promise.all([starting, browse()]);
  });
  afterEach(async () => {
    if (isBrowserFresh || hasEnded) await removePerson();
    else await closeTabs(setting.browser);
    await setting.site.close();
  });
  afterAll(async () => {
    await removePerson();
    await shared?.close();
  });
  return setting;
};

/** All but the first, which a browser has from the start and needs to live on. */
const closeTabs = async (browser: BrowserContext): Promise<void> => {
  await Promise.all(
    browser
      .pages()
      .slice(1)
      .map((page) => page.close()),
  );
};
