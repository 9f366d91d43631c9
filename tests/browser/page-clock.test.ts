/** Sites' own end-to-end tests replace the page's clock and timers; its worker's go on. */
import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import { timelineArrived } from "./support/arrivals.js";
import { useSetting } from "./support/setting.js";
import { init, openTab, profileIs, settle, trackNumbers, visit } from "./support/visit.js";

const setting = useSetting();

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
/** Before a test says so, the page's clock may be trusted by this much. */
const TOLERANCE_MS = 10 * SECOND;

const expectTimesBetween = async (tab: Page, from: number): Promise<void> => {
  const timeline = await timelineArrived(setting.site, tab);
  const to = Date.now();
  expect(timeline.length).toBeGreaterThan(0);
  for (const { occurredAt, givenAt } of timeline) {
    expect(Date.parse(occurredAt)).toBeGreaterThanOrEqual(from - TOLERANCE_MS);
    expect(Date.parse(occurredAt)).toBeLessThanOrEqual(to + SECOND);
    expect(givenAt).toBe(occurredAt);
  }
};

describe.each(["shared", "dedicated"] as const)("a page whose clock a test has replaced (%s)", (host) => {
  test.each([
    ["400 days behind", -400 * DAY],
    ["400 days ahead", 400 * DAY],
    ["standing still for a minute", -60 * SECOND],
  ])("tracks with the times of its host: %s", async (_, offsetMs) => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    const from = Date.now();
    await tab.clock.setFixedTime(from + offsetMs);
    expect(await init(tab, site.trackingKey, { host })).toMatchObject({ success: true });
    expect(await trackNumbers(tab, 0, 10)).toBe(10);
    await expectTimesBetween(tab, from);
  });

  test("tracks and flushes while its timers stand still", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    const from = Date.now();
    await tab.clock.install({ time: from });
    await tab.clock.pauseAt(from + 60 * SECOND);
    expect(await init(tab, site.trackingKey, { host })).toMatchObject({ success: true });
    expect(await trackNumbers(tab, 0, 10)).toBe(10);
    expect(await tab.evaluate(() => window.sdk.flush())).toEqual({ success: true, data: { waiting: 0 } });
    await tab.clock.runFor(30 * DAY);
    expect(await trackNumbers(tab, 10, 10)).toBe(10);
    await tab.clock.resume();
    await expectTimesBetween(tab, from);
  });
});

describe("the journal of a page whose clock a test has replaced", () => {
  test("what such a page journals as it goes has the times of the host, and is delivered after the next start", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    const from = Date.now();
    await tab.clock.setFixedTime(from - 400 * DAY);
    expect(await init(tab, site.trackingKey)).toMatchObject({ success: true });
    const lead = await tab.evaluate(() => window.widget.startChat());
    await profileIs(tab, "lead");
    await settle(tab);
    await tab.evaluate(() =>
      addEventListener("pagehide", () => void window.sdk.track("action", { name: "as it goes" })),
    );
    await tab.close();
    const next = await visit(browser, site);
    await settle(next);
    const entry = (await site.timeline(lead)).find(({ properties }) => properties?.["name"] === "as it goes");
    expect(Date.parse(entry?.givenAt ?? "")).toBeGreaterThanOrEqual(from - TOLERANCE_MS);
  });
});
