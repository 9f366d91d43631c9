import { describe, expect, test } from "vitest";
import { useSetting } from "./support/setting.js";
import { init, openTab, profileIs, settle, stateOf, track, visit } from "./support/visit.js";

const setting = useSetting({ isBrowserFresh: true });

const REFUSED = {
  success: false,
  error: { code: 2016, message: "Error when calling track(). Cause: tracking is opted out" },
};

describe("consent", () => {
  test("an opt-out holds in all tabs and after a restart, and what waits stays until opt-in", async () => {
    const { person, browser, site } = setting;
    const [tab, other] = [await visit(browser, site), await visit(browser, site)];
    site.setReachable(false);
    await track(tab, "before");
    expect(await tab.evaluate(() => window.sdk.optOut())).toEqual({ success: true, data: null });
    expect(await track(tab, "opted out")).toMatchObject(REFUSED);
    expect(await track(other, "opted out")).toMatchObject(REFUSED);
    await browser.close();

    site.setReachable(true);
    const next = await visit(await person.browse(), site);
    expect((await stateOf(next))?.optedOut).toBe(true);
    expect(await track(next, "opted out")).toMatchObject(REFUSED);
    const waiting = (await stateOf(next))?.outbox.waiting;
    expect(waiting).toBeGreaterThanOrEqual(1);
    const sent = site.requests.length;
    await next.evaluate(() => window.sdk.flush({ timeoutMs: 100 }));
    expect(site.requests.length).toBe(sent);

    expect(await next.evaluate(() => window.sdk.optIn())).toEqual({ success: true, data: null });
    expect(await track(next, "opted in")).toEqual({ success: true, data: null });
    await settle(next);
  });
});

describe("erasing", () => {
  test("erasing leaves nothing in this browser, and tracking goes on with a new visitor", async () => {
    const { browser, site } = setting;
    const [tab, other] = [await visit(browser, site), await visit(browser, site)];
    const lead = await tab.evaluate(() => window.widget.startChat());
    await Promise.all([profileIs(tab, "lead"), profileIs(other, "lead")]);
    await settle(tab);
    site.setReachable(false);
    await track(other, "to be erased");
    expect(await tab.evaluate(() => window.sdk.eraseLocalData())).toEqual({ success: true, data: null });
    expect(await stateOf(tab)).toMatchObject({
      profile: { kind: "visitor" },
      session: null,
      outbox: { waiting: 0, rejected: 0 },
    });
    await profileIs(other, "visitor");
    expect(await track(other, "after")).toEqual({ success: true, data: null });
    site.setReachable(true);
    await settle(tab);
    const told = (await site.timeline(lead)).map(({ properties }) => properties?.["name"]);
    expect(told).not.toContain("to be erased");
    expect(told).not.toContain("after");
  });
});

describe("consent before tracking", () => {
  test("Global Privacy Control opts out where the site respects it, and an explicit opt-in overrides it", async () => {
    const { browser, site } = setting;
    await browser.addInitScript(() =>
      Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { value: true }),
    );
    const tab = await openTab(browser, site);
    const outcome = await init(tab, site.trackingKey, { respectGlobalPrivacyControl: true });
    expect(outcome).toEqual({ success: true, data: null });
    expect(await track(tab, "refused")).toMatchObject(REFUSED);
    expect(site.requests).toEqual([]);
    await tab.evaluate(() => window.sdk.optIn());
    expect(await track(tab, "stored")).toEqual({ success: true, data: null });
    const next = await openTab(browser, site);
    await init(next, site.trackingKey, { respectGlobalPrivacyControl: true });
    expect((await stateOf(next))?.optedOut).toBe(false);
  });

  test("before init nothing at all is stored", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    const found = await tab.evaluate(async () => {
      const sdk = new window.PeopleTrackingSDK();
      await sdk.track("action");
      return [(await indexedDB.databases()).length, localStorage.length, document.cookie, sdk.state];
    });
    expect(found).toEqual([0, 0, "", null]);
  });
});
