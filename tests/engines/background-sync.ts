/** Engines without Background Sync. */
import { describe, expect, test } from "vitest";
import type { Setting } from "./support/setting.js";
import {
  awaitBackOff,
  init,
  numbersOnService,
  openTab,
  settle,
  trackNumbers,
  visit,
} from "./support/visit.js";

export const noBackgroundSync = (setting: Setting): void => {
  describe("an engine without Background Sync", () => {
    test("where there is no Background Sync the service worker is left alone, and the next start delivers", async () => {
      const { browser, site } = setting;
      const options = { serviceWorkerUrl: "/sdk/service-worker.js", host: "dedicated" } as const;
      const tab = await openTab(browser, site);
      await tab.run(() => {
        const errors: string[] = [];
        addEventListener("error", ({ message }) => errors.push(message));
        addEventListener("unhandledrejection", ({ reason }) => errors.push(String(reason)));
        Object.assign(window, { errors });
      });
      expect(await init(tab, site, options)).toEqual({ success: true, data: null });
      await settle(tab);
      site.setReachable(false);
      expect(await trackNumbers(tab, 0, 20)).toBe(20);
      expect(
        await tab.run(async () => ({
          hasSync: "SyncManager" in globalThis,
          // On insecure origins, and in some modes, browsers have none at all.
          workers: (await navigator.serviceWorker?.getRegistrations())?.length ?? 0,
          errors: (window as unknown as { errors: string[] }).errors,
        })),
      ).toEqual({ hasSync: false, workers: 0, errors: [] });
      await awaitBackOff(tab);
      await tab.close();
      site.setReachable(true);
      expect(await numbersOnService(await visit(browser, site, options), site)).toEqual(
        Array.from({ length: 20 }, (_, n) => n),
      );
    });
  });
};
