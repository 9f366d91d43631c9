/** The service, or its answers, out of reach; tabs and browsers gone meanwhile. */
import { describe, expect, test } from "vitest";
import type { Setting } from "./support/setting.js";
import { awaitBackOff, numbersOnService, settle, trackNumbers, visit } from "./support/visit.js";

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

export const delivery = (setting: Setting): void => {
  describe("delivery", () => {
    test("200 operations made while the service is down arrive once and in order after the tab was closed", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      await settle(tab);
      site.setReachable(false);
      expect(await trackNumbers(tab, 0, 200)).toBe(200);
      await awaitBackOff(tab);
      await tab.close();
      site.setReachable(true);
      expect(await numbersOnService(await visit(browser, site), site)).toEqual(upTo(200));
    });

    test("lost responses make no duplicates", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      await settle(tab);
      let lost = 0;
      site.intercept(({ path }) => (path.endsWith("/v1/batches") && lost++ < 3 ? "lost answer" : undefined));
      expect(await trackNumbers(tab, 0, 120)).toBe(120);
      expect(await numbersOnService(tab, site)).toEqual(upTo(120));
      expect(lost).toBeGreaterThan(3);
    });
  });
};

export const restarts = (setting: Setting): void => {
  describe("delivery after the browser's violent end", () => {
    test("what calls reported as stored outlives the browser's violent end", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      site.setReachable(false);
      expect(await trackNumbers(tab, 0, 150)).toBe(150);
      await setting.restart(() => site.setReachable(true));
      expect(await numbersOnService(await visit(browser, site), site)).toEqual(upTo(150));
    });

    test("a browser that ends violently while it sends loses nothing and sends nothing twice", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      await settle(tab);
      const sent = new Promise<void>((resolve) => {
        site.intercept(({ operations }) => {
          if (operations.length > 0) resolve();
          return "lost answer";
        });
      });
      expect(await trackNumbers(tab, 0, 50)).toBe(50);
      await sent;
      await setting.restart(() => site.intercept(null));
      expect(await numbersOnService(await visit(browser, site), site)).toEqual(upTo(50));
    });
  });
};
