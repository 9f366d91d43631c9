import { describe, expect, test } from "vitest";
import type { Page } from "playwright";
import type { OutboxRow } from "../../src/main/index.js";
import { useSetting } from "./support/setting.js";
import { init, openTab, track, visit } from "./support/visit.js";

const setting = useSetting();

/** What the outbox of this browser holds; the service is out of reach in these tests, so that all of it is there. */
const rows = async (page: Page): Promise<OutboxRow[]> => {
  const outcome = await page.evaluate(() => window.sdk.inspect({ limit: 1000 }));
  if (!outcome.success) throw new Error(outcome.error.message);
  return outcome.data;
};
const pageViews = async (page: Page) =>
  (await rows(page))
    .map(({ operation }) => operation as { definitionId?: string; properties?: Record<string, string> })
    .filter(({ definitionId }) => definitionId === "pageView")
    .map(({ properties }) => properties);

const offlineVisit: typeof visit = (...given) => {
  setting.site.setReachable(false);
  return visit(...given);
};

describe("page views", () => {
  test("one page view for each page load, however many instances and inits", async () => {
    const { browser, site } = setting;
    const tab = await offlineVisit(browser, site, {}, "/shop?colour=red#reviews");
    await tab.evaluate(async (key) => {
      await window.sdk.init(key);
      await new window.PeopleTrackingSDK().init(key);
    }, site.trackingKey);
    expect(await pageViews(tab)).toEqual([
      { url: `${site.origin}/shop?colour=red`, title: "Fixture", referrer: "" },
    ]);
  });

  test("client-side navigations are page views where the site asks for them", async () => {
    const { browser, site } = setting;
    const tab = await offlineVisit(browser, site, { pageViews: "spa" });
    await tab.evaluate(() => {
      history.pushState(null, "", "/one");
      document.title = "One";
    });
    await expect.poll(() => pageViews(tab)).toHaveLength(2);
    await tab.evaluate(() => history.pushState(null, "", "/one#part"));
    await tab.evaluate(() => history.replaceState(null, "", "/two"));
    await expect.poll(() => pageViews(tab)).toHaveLength(3);
    expect(
      (await pageViews(tab)).map((view) => [new URL(view?.["url"] ?? "").pathname, view?.["title"]]),
    ).toEqual([
      ["/", "Fixture"],
      ["/one", "One"],
      ["/two", "One"],
    ]);
  });

  test("a page that comes back from the back-forward cache is a new page view, and its tracker goes on", async () => {
    const { browser, site } = setting;
    const tab = await offlineVisit(browser, site);
    await tab.evaluate(() => ((window as { mark?: boolean }).mark = true));
    await tab.goto(`${site.origin}/elsewhere`);
    await tab.goBack({ waitUntil: "commit" }); // a restored page does not load again
    expect(await tab.evaluate(() => (window as { mark?: boolean }).mark)).toBe(true);
    await expect.poll(() => pageViews(tab)).toHaveLength(2);
    expect(await track(tab, "restored")).toEqual({ success: true, data: null });
  });

  test("a site redacts what is sent of its pages, or sends nothing", async () => {
    const { browser, site } = setting;
    site.setReachable(false);
    const redacted = await openTab(browser, site, "/account?token=secret");
    await redacted.evaluate(async (key) => {
      window.sdk = new window.PeopleTrackingSDK({
        page: (page) => ({ ...page, url: page.url.replace(/\?.*/, "") }),
      });
      await window.sdk.init(key);
      await window.sdk.track("action", { name: "here" });
    }, site.trackingKey);
    const silent = await openTab(browser, site, "/private");
    await silent.evaluate(async (key) => {
      await new window.PeopleTrackingSDK({ page: () => null }).init(key);
    }, site.trackingKey);
    const all = await rows(redacted);
    expect(JSON.stringify(all)).not.toMatch(/secret|private/);
    expect(await pageViews(redacted)).toEqual([
      { url: `${site.origin}/account`, title: "Fixture", referrer: "" },
      undefined,
    ]);
  });

  test("manual page views are recorded when the site says so", async () => {
    const { browser, site } = setting;
    const tab = await offlineVisit(browser, site, { pageViews: "manual" });
    expect(await pageViews(tab)).toEqual([]);
    await tab.evaluate(() => window.sdk.trackPageView({ title: "Step 2" }));
    expect(await pageViews(tab)).toEqual([{ url: `${site.origin}/`, title: "Step 2", referrer: "" }]);
  });
});

describe("what stands in IndexedDB", () => {
  test("arguments are taken as they are at the call", async () => {
    const { browser, site } = setting;
    const tab = await offlineVisit(browser, site);
    await tab.evaluate(async () => {
      const properties = { name: "before" };
      const call = window.sdk.track("action", properties);
      properties.name = "after";
      await call;
    });
    expect((await rows(tab)).at(-1)?.operation).toMatchObject({ properties: { name: "before" } });
  });

  test("the rows stand in IndexedDB as people read them in DevTools", async () => {
    const { browser, site } = setting;
    const tab = await offlineVisit(browser, site, { namespace: "shop" });
    await track(tab, "look");
    const stored = await tab.evaluate(async () => {
      const db = await new Promise<IDBDatabase>((resolve) => {
        const opening = indexedDB.open("people-tracking:shop");
        opening.onsuccess = () => resolve(opening.result);
      });
      const reading = db.transaction("outbox").objectStore("outbox").getAll();
      const found = await new Promise<unknown[]>(
        (resolve) => (reading.onsuccess = () => resolve(reading.result)),
      );
      db.close();
      return found;
    });
    expect(stored).toEqual(await rows(tab));
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(stored.at(-1)).toEqual({
      seq: 3,
      id: expect.stringMatching(/^[A-Za-z0-9_-]{1,36}$/),
      type: "event",
      state: "waiting",
      profile: { kind: "visitor", id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      sessionId: expect.stringMatching(/^[A-Za-z0-9_-]{1,30}$/),
      occurredAt: time,
      operation: {
        id: expect.any(String),
        type: "event",
        occurredAt: time,
        sessionId: expect.any(String),
        definitionId: "action",
        properties: { name: "look" },
        page: { url: `${site.origin}/`, title: "Fixture" },
      },
    });
  });

  test("the default namespace is 16 hexadecimal digits, another for another key", async () => {
    const { browser, site } = setting;
    const tab = await offlineVisit(browser, site);
    await init(tab, "another key");
    const names = await tab.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    const ours = names.filter((name) => /^people-tracking:[0-9a-f]{16}$/.test(name ?? ""));
    expect(ours).toHaveLength(2);
  });
});
