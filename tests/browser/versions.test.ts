/** Tabs of before and after a deploy, each with its own worker of its own version, on one store. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "playwright";
import { numbersAccepted, numbersArrived, upTo } from "./support/arrivals.js";
import type { NextVersion } from "./support/next-version.js";
import { buildNextVersion } from "./support/next-version.js";
import { useSetting } from "./support/setting.js";
import {
  init,
  openTab,
  profileIs,
  settle,
  stateOf,
  stateWithSession,
  track,
  trackNumbers,
  visit,
} from "./support/visit.js";

const folders: Record<string, string> = {};
let next: NextVersion;
beforeAll(async () => {
  next = await buildNextVersion();
  folders["/next/"] = next.folder;
});
afterAll(() => next.remove());
const setting = useSetting({ folders });

/** A tab that has loaded the site after the deploy. */
const openNextTab = async (): Promise<Page> => {
  const tab = await openTab(setting.browser, setting.site);
  const before = await tab.evaluateHandle(() => window.PeopleTrackingSDK);
  await tab.addScriptTag({
    type: "module",
    content: 'window.PeopleTrackingSDK = (await import("/next/index.js")).PeopleTrackingSDK;',
  });
  await tab.waitForFunction((old) => window.PeopleTrackingSDK !== old, before);
  return tab;
};
const visitNext = async (): Promise<Page> => {
  const tab = await openNextTab();
  expect(await init(tab, setting.site.trackingKey)).toEqual({ success: true, data: null });
  return tab;
};
/** Other versions' workers are not met: each version has its own, told by name and script. */
const sharedWorkers = async (page: Page): Promise<string[]> => {
  const session = await page.context().newCDPSession(page);
  const { targetInfos } = await session.send("Target.getTargets");
  return targetInfos.filter(({ type }) => type === "shared_worker").map(({ url }) => new URL(url).pathname);
};

describe("two versions of the tracker", () => {
  test("an old and a new tab keep one session and deliver each operation once", async () => {
    const { browser, site } = setting;
    const [old, recent] = [await visit(browser, site), await visitNext()];
    expect((await sharedWorkers(old)).toSorted()).toEqual(["/next/worker.js", "/sdk/worker.js"]);
    const stored = await Promise.all([trackNumbers(old, 0, 100), trackNumbers(recent, 1_000, 100)]);
    expect(stored).toEqual([100, 100]);
    const [one, other] = [await stateWithSession(old), await stateWithSession(recent)];
    expect(other?.session?.id).toBe(one?.session?.id);
    expect(other?.profile).toEqual(one?.profile);

    const lead = await recent.evaluate(() => window.widget.startChat());
    await Promise.all([profileIs(old, "lead"), profileIs(recent, "lead")]);
    await Promise.all([settle(old), settle(recent)]);
    const timeline = await site.timeline(lead);
    const starts = timeline.filter(({ definitionId }) => definitionId === "sessionStarted");
    expect(starts).toHaveLength(1);
    expect(new Set(timeline.map(({ sessionId }) => sessionId)).size).toBe(1);
    const numbers = numbersAccepted(site).map(Number);
    expect(numbers.filter((n) => n < 1_000)).toEqual(upTo(100));
    expect(numbers.filter((n) => n >= 1_000)).toEqual(upTo(100).map((n) => 1_000 + n));
  });

  test("what an old tab left behind is delivered by the new version", async () => {
    const { browser, site } = setting;
    const old = await visit(browser, site);
    await settle(old);
    site.setReachable(false);
    expect(await trackNumbers(old, 0, 50)).toBe(50);
    await old.close();
    site.setReachable(true);
    const recent = await visitNext();
    expect(await numbersArrived(site, recent)).toEqual(upTo(50));
  });

  test("a page that meets a worker file of another version says so and goes on without it", async () => {
    const { browser, site } = setting;
    // A cache that answers with the worker of before the deploy.
    const tab = await openNextTab();
    const outcome = await init(tab, site.trackingKey, { workerUrl: "/sdk/worker.js" });
    expect(outcome).toEqual({ success: true, data: null });
    expect((await stateOf(tab))?.host).toBe("page");
    expect(await track(tab, "after all")).toEqual({ success: true, data: null });
    await settle(tab);
    await visit(browser, site);
  });
});
