import { describe, expect, test } from "vitest";
import type { Page } from "playwright";
import type { TrackingOptions } from "../../src/main/index.js";
import { operationsOf } from "./support/outbox.js";
import { usePageErrors } from "./support/page-errors.js";
import { useSetting } from "./support/setting.js";
import { init, openTab } from "./support/visit.js";

const setting = useSetting();
let page: Page;
const errors = usePageErrors();

/** The service is out of reach in these tests, so that all views stay in the outbox. */
const start = async (pageViews: TrackingOptions["pageViews"], before = ""): Promise<void> => {
  const { browser, site } = setting;
  site.setReachable(false);
  page = await openTab(browser, site, "/kites?q=&page=1");
  errors.watch(page);
  if (before) await page.addScriptTag({ content: before });
  expect(await init(page, site.trackingKey, { pageViews: pageViews! })).toMatchObject({ success: true });
  // The last one shows that what was loaded for client-side views is there.
  await page.evaluate(() => history.pushState(null, "", "/start"));
  await expect.poll(views).toHaveLength(2);
};

const views = async (): Promise<(readonly [url: string, referrer: string])[]> =>
  (await operationsOf(page)).map(({ properties }) => {
    const { url, referrer } = properties as Record<string, string>;
    return [url!.replace(setting.site.origin, ""), referrer!.replace(setting.site.origin, "")] as const;
  });
/** Each in a task of its own, in which a view would be recorded. */
const go = async (...urls: string[]): Promise<void> => {
  for (const url of urls) {
    await page.evaluate(async (to) => {
      history.replaceState(null, "", to);
      await new Promise((later) => setTimeout(later));
    }, url);
  }
};
/** What came after the start, once a last view has come. */
const viewsUntil = async (last: string) => {
  await page.evaluate((url) => history.pushState(null, "", url), last);
  await expect.poll(async () => (await views()).at(-1)?.[0]).toBe(last);
  return (await views()).slice(2);
};

describe("client-side page views", () => {
  /** Two ways to learn of navigations. */
  test.each([
    ["the Navigation API", ""],
    ["History", "var navigation = 0;"],
  ])("a storm in one task is the view in which it ends, or none (%s)", async (_, before) => {
    await start("spa", before);
    await page.evaluate(() => {
      for (let n = 0; n < 50; n++) history.replaceState(null, "", n % 2 ? "/start" : "/start?open");
    });
    expect(await viewsUntil("/one")).toEqual([["/one", "/start"]]);
    await page.evaluate(() => {
      for (let n = 1; n <= 50; n++) history.replaceState(null, "", `/two?n=${n}`);
    });
    expect(await viewsUntil("/three")).toEqual([
      ["/one", "/start"],
      ["/two?n=50", "/one"],
      ["/three", "/two?n=50"],
    ]);
  });

  test("parameters that the site names make no view of their own, and are sent with it", async () => {
    await start({ spa: true, ignoreSearch: ["q", "sort"] });
    await go("/start?q=r", "/start?sort=up&q=red#top", "/start?q=red&page=2", "/start?page=2");
    expect(await viewsUntil("/lines")).toEqual([
      ["/start?q=red&page=2", "/start"],
      ["/lines", "/start?q=red&page=2"],
    ]);
  });

  test("views of a site that ignores the search part differ by their paths", async () => {
    await start({ spa: true, ignoreSearch: true });
    await go("/start?q=r", "/start", "/lines?q=r", "/lines?q=re");
    expect(await viewsUntil("/end")).toEqual([
      ["/lines?q=r", "/start"],
      ["/end", "/lines?q=r"],
    ]);
  });
});
