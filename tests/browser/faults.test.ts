/** Each thing that a network can do to a request, alone: when it is over, everything is there, once and in order. */
import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import { lossesOf, numbersOf, timelineArrived, upTo } from "./support/arrivals.js";
import { COMPRESSION_FAULTS, FAULT_NAMES } from "./support/fault-proxy.js";
import { useSetting } from "./support/setting.js";
import { useTally } from "./support/tally.js";
import { settle, stateOf, trackNumbers, visit } from "./support/visit.js";

const setting = useSetting();
const tally = useTally("faults, one by one");

const arrivesUnharmed = async (tab: Page, count: number): Promise<void> => {
  const { site } = setting;
  const timeline = await timelineArrived(site, tab);
  expect(numbersOf(timeline)).toEqual(upTo(count));
  const losses = lossesOf(site, [timeline], new Set(upTo(count)));
  tally.add(site, count, losses);
  expect(losses).toEqual({ lost: [], doubled: [], outOfOrder: [] });
  expect(await stateOf(tab)).toMatchObject({ outbox: { waiting: 0, rejected: 0 } });
};

const ANY_REQUEST_FAULTS = FAULT_NAMES.filter((name) => !COMPRESSION_FAULTS.some((one) => one === name));

describe("a fault on the way to the service", () => {
  test.each(ANY_REQUEST_FAULTS)("%s: every event arrives once and in order", async (fault) => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    let left = 3;
    site.intercept(({ operations }) => (operations.length > 0 && left-- > 0 ? fault : undefined));
    for (const round of [0, 1, 2]) {
      expect(await trackNumbers(tab, 30 * round, 30)).toBe(30);
      await expect.poll(() => site.faults.get(fault), { timeout: 30_000 }).toBeGreaterThan(round);
    }
    await arrivesUnharmed(tab, 90);
  });

  test.each(COMPRESSION_FAULTS)(
    "%s, of each compressed request: every event arrives, long ones too",
    async (fault) => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      await settle(tab);
      site.intercept(() => fault);
      expect(await trackNumbers(tab, 0, 30)).toBe(30);
      await settle(tab);
      const long = await tab.evaluate(() =>
        window.sdk.track("numbered", { n: 30, padding: "x".repeat(3_000) }),
      );
      expect(long).toMatchObject({ success: true });
      await settle(tab);
      expect(await trackNumbers(tab, 31, 30)).toBe(30);
      await arrivesUnharmed(tab, 61);
      expect(site.faults.get(fault)).toBeGreaterThan(0);
      // A service that goes by the first bytes reads what those two have made of it.
      if (fault === "decoded body" || fault === "dropped encoding header") return;
      const lastCompressed = site.requests.findLastIndex(({ isCompressed }) => isCompressed);
      // Once the service has taken an uncompressed one, none is compressed any more.
      const firstTaken = site.requests.findIndex(
        ({ operations, isCompressed, status }) => operations.length > 0 && !isCompressed && status === 200,
      );
      expect(lastCompressed).toBeLessThan(firstTaken);
    },
  );

  test("a gateway that takes only small requests gets small ones, and nothing is rejected", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    site.intercept(() => "413");
    expect(await trackNumbers(tab, 0, 100)).toBe(100);
    await arrivesUnharmed(tab, 100);
    const taken = site.requests
      .filter(({ status }) => status === 200)
      .map(({ operations }) => operations.length);
    expect(Math.max(...taken)).toBeLessThan(10);
  });
});

describe("a certificate that is wrong", () => {
  test("a service whose certificate is wrong gets nothing, and everything once it is right again", async () => {
    const { browser, site } = setting;
    const secure = await site.listenSecurely();
    const tab = await visit(browser, site, { endpoint: `${secure.origin}/people` });
    await settle(tab);
    secure.setTrusted(false);
    const before = site.requests.length;
    expect(await trackNumbers(tab, 0, 50)).toBe(50);
    await tab.waitForFunction(() => window.sdk.state?.delivery.status === "retrying");
    expect(await tab.evaluate(() => window.sdk.flush({ timeoutMs: 300 }))).toMatchObject({
      data: { waiting: 50 },
    });
    expect(secure.refused).toBeGreaterThan(0);
    expect(site.requests.length).toBe(before);
    tally.count("wrong certificate", secure.refused);
    secure.setTrusted(true);
    expect(await trackNumbers(tab, 50, 50)).toBe(50);
    await arrivesUnharmed(tab, 100);
  });

  test("what a first visit under a wrong certificate tracks is reported as stored, and arrives later", async () => {
    const { browser, site } = setting;
    const secure = await site.listenSecurely();
    secure.setTrusted(false);
    const tab = await visit(browser, site, { endpoint: `${secure.origin}/people` });
    expect(await trackNumbers(tab, 0, 20)).toBe(20);
    expect(site.requests).toEqual([]);
    tally.count("wrong certificate", secure.refused);
    secure.setTrusted(true);
    await arrivesUnharmed(tab, 20);
  });
});
