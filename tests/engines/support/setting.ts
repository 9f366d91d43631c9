/**
 * A fresh site for each scenario, on a port of its own: an origin without a past. The browser and the service take
 * seconds to start: all scenarios of an engine share them.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import type { PeopleService } from "../../../server/src/index.js";
import type { Site } from "../../browser/support/site.js";
import { startService, startSite } from "../../browser/support/site.js";
import type { Browser, Engine, Profile, Tab } from "./engine.js";

export interface Setting {
  site: Site;
  /** The running browser; `restart()` puts another in its place. */
  browser: Pick<Browser, "open">;
  /** Ends the browser with `SIGKILL` and starts it with the same profile, after what is to happen in between. */
  restart(meanwhile?: () => void): Promise<void>;
}

/** Runs scenarios on an engine, or says what to install for them. */
export const onEngine = (engine: Engine, ...scenarios: ((setting: Setting) => void)[]): void => {
  if (engine.missing) {
    console.warn(`${engine.name} is skipped, for it is not here: apt-get install ${engine.missing}`);
  }
  describe.skipIf(engine.missing)(`on ${engine.name}`, () => {
    let service: PeopleService;
    let profile: Profile;
    let browser: Browser;
    let tabs = new Set<Tab>();
    const open: Browser["open"] = async (url) => {
      const tab = await browser.open(url);
      tabs.add(tab);
      return {
        ...tab,
        runLast: (...given) => tab.runLast(...given).finally(() => tabs.delete(tab)),
        close: () => tab.close().finally(() => tabs.delete(tab)),
      };
    };
    const setting: Setting = {
      site: {} as Site,
      browser: { open },
      async restart(meanwhile) {
        await browser.kill();
        tabs = new Set();
        meanwhile?.();
        browser = await profile.browse();
      },
    };
    beforeAll(async () => {
      [service, profile] = await Promise.all([startService(), engine.newProfile()]);
      browser = await profile.browse();
    });
    afterAll(async () => {
      await profile.remove();
      await service.close();
    });
    beforeEach(async () => {
      setting.site = await startSite({ service, script: profile.script });
    });
    afterEach(async () => {
      for (const tab of tabs) await tab.close();
      tabs.clear();
      await setting.site.close();
    });
    for (const add of scenarios) add(setting);
  });
};
