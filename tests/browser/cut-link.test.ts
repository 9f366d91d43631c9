/** A network that lies: the link goes, with and without the browser noticing, and comes back. */
import type { TestContext } from "vitest";
import { describe, expect, test } from "vitest";
import type { Page } from "playwright";
import { numbersArrived, upTo } from "./support/arrivals.js";
import type { Cut, Link } from "./support/link.js";
import { openLink } from "./support/link.js";
import { startSite } from "./support/site.js";
import { newPerson, settle, stateOf, trackNumbers, visit } from "./support/visit.js";

/** A link, a site and a browser for each test: they wait for half a minute each, all at the same time. */
const startSetting = async (onTestFinished: TestContext["onTestFinished"]) => {
  const link = await openLink();
  onTestFinished(() => link.remove());
  const site = await startSite({ address: link.address });
  onTestFinished(() => site.close());
  const person = await newPerson(link.browserOf(site));
  onTestFinished(() => person.remove());
  return { link, site, browser: await person.browse() };
};

/** The page's browser knows that it is offline, where it can know. */
const noticed = async (link: Link, page: Page, how: Cut): Promise<void> => {
  const isOnline = !(link.isReal && how === "noticed");
  await page.waitForFunction(
    (online) => navigator.onLine === online && window.sdk.state?.online === online,
    isOnline,
  );
};
const isRetrying = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => window.sdk.state?.delivery.status === "retrying", null, { timeout: 60_000 });

describe("a link to the service that is cut", () => {
  test.concurrent.for(["noticed", "unnoticed"] as const)(
    "what several tabs track while the link is down (%s) arrives once and in order when it is back, without a reload",
    async (how, { onTestFinished }) => {
      const { link, site, browser } = await startSetting(onTestFinished);
      const tabs = [await visit(browser, site), await visit(browser, site), await visit(browser, site)];
      const [first] = tabs as [Page];
      await settle(first);
      link.cut(site, how);
      for (const tab of tabs) await noticed(link, tab, how);
      const stored = await Promise.all(tabs.map((tab, index) => trackNumbers(tab, 1000 * index, 50)));
      expect(stored).toEqual([50, 50, 50]);
      await isRetrying(first);
      expect((await stateOf(first))?.outbox.waiting).toBeGreaterThanOrEqual(150);
      link.heal(site);
      await first.waitForFunction(() => window.sdk.state?.outbox.waiting === 0, null, { timeout: 60_000 });
      await noticed(link, first, "unnoticed");

      const numbers = (await numbersArrived(site, first)) as number[];
      for (const index of tabs.keys()) {
        const own = numbers.filter((n) => Math.floor(n / 1000) === index);
        expect(own).toEqual(upTo(50).map((n) => 1000 * index + n));
      }
    },
  );

  test.concurrent.for(["noticed", "unnoticed"] as const)(
    "where the link is down (%s) when a batch has arrived and its answer has not, nothing happens twice",
    async (how, { onTestFinished }) => {
      const { link, site, browser } = await startSetting(onTestFinished);
      const page = await visit(browser, site);
      await settle(page);
      const cut = new Promise<void>((done) => {
        site.intercept(({ operations }) => {
          if (operations.length === 0) return undefined;
          link.cut(site, how);
          site.intercept(null);
          done();
          return link.isReal ? undefined : "lost answer";
        });
      });
      expect(await trackNumbers(page, 0, 50)).toBe(50);
      await cut;
      expect(await trackNumbers(page, 50, 50)).toBe(50);
      await isRetrying(page);
      const before = site.requests.flatMap(({ operations }) => operations).length;
      expect(before).toBeGreaterThan(0);
      expect((await stateOf(page))?.outbox.waiting).toBe(100);
      link.heal(site);
      await page.waitForFunction(() => window.sdk.state?.outbox.waiting === 0, null, { timeout: 60_000 });
      const ids = site.requests.flatMap(({ operations }) => operations).map(({ id }) => id);
      expect(ids.length).toBeGreaterThan(new Set(ids).size);
      expect(await numbersArrived(site, page)).toEqual(upTo(100));
    },
  );
});
