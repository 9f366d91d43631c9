/** The browser's storage in trouble: a clear error or memory that is told of, never a hang, and nothing arrives twice. */
import { describe, expect, test } from "vitest";
import { numbersAccepted, numbersArrived, upTo } from "./support/arrivals.js";
import { useSetting } from "./support/setting.js";
import { clearSiteData, deleteDatabases, fillStorage, holdDatabase, limitQuota } from "./support/storage.js";
import { openTab, init, settle, stateOf, track, trackNumbers, visit } from "./support/visit.js";

const setting = useSetting({ isBrowserFresh: true });

const STORED = { success: true, data: null };

describe("a full quota", () => {
  test("a full quota is reported with what to do, and calls are stored again when there is room", async () => {
    const { browser, site } = setting;
    const tab = await openTab(browser, site);
    const quota = await limitQuota(tab, site, 500_000);
    expect(await init(tab, site.trackingKey)).toEqual(STORED);
    await settle(tab);
    const large = await tab.evaluate(() => {
      // Of chance, for Chromium compresses what it stores.
      const bytes = Array.from({ length: 4 }, () => crypto.getRandomValues(new Uint8Array(50_000)));
      const padding = bytes
        .map((some) => btoa(String.fromCharCode(...some)))
        .join("")
        .slice(0, 200_000);
      return Promise.all([0, 1, 2, 3, 4].map((n) => window.sdk.track("numbered", { n, padding })));
    });
    const message: unknown = expect.stringContaining("free some space and call again");
    const full = { success: false, error: { code: 2016, message } };
    for (const outcome of large) expect(outcome).toMatchObject(full);
    expect(await stateOf(tab)).toMatchObject({ storage: "disk", outbox: { waiting: 0 } });
    await quota.lift();
    expect(await trackNumbers(tab, 5, 20)).toBe(20);
    expect(await numbersArrived(site, tab)).toEqual(upTo(25).slice(5));
  });

  test.each([
    ["of which the tracker has nothing yet", 0],
    ["of which the tracker has its part", 10],
  ])("init on a quota that is full, %s, reports that, and works when there is room", async (_, waiting) => {
    const { person, browser, site } = setting;
    const before = await openTab(browser, site);
    if (waiting > 0) await init(before, site.trackingKey);
    site.setReachable(false);
    expect(waiting && (await trackNumbers(before, 0, waiting))).toBe(waiting);
    await fillStorage(before, 5_000_000);
    // A browser that has just started has not looked yet how much room there is.
    await browser.close();
    site.setReachable(true);
    const tab = await openTab(await person.browse(), site);
    const quota = await limitQuota(tab, site, 1_000_000);
    const message: unknown = expect.stringContaining("free some space and call again");
    const full = { success: false, error: { code: 2103, message } };
    expect(await init(tab, site.trackingKey)).toMatchObject(full);
    expect(await track(tab, "too early")).toMatchObject({ success: false, error: { code: 2015 } });
    await quota.lift();
    const again = () => tab.evaluate((key) => window.sdk.init(key), site.trackingKey);
    await expect.poll(again, { timeout: 30_000 }).toEqual(STORED);
    expect(await trackNumbers(tab, waiting, 20)).toBe(20);
    expect(await stateOf(tab)).toMatchObject({ storage: "disk" });
    expect(await numbersArrived(site, tab)).toEqual(upTo(waiting + 20));
  });
});

describe("a disk that is emptied or stalls", () => {
  test.each([
    ["the database is deleted by another page", deleteDatabases],
    ["the site's data are cleared", clearSiteData],
  ] as const)("when %s, tracking and delivery go on with a new visitor", async (_, empty) => {
    const { browser, site } = setting;
    const [tab, other] = [await visit(browser, site), await openTab(browser, site)];
    expect(await track(tab, "before")).toEqual(STORED);
    await settle(tab);
    const before = (await stateOf(tab))?.profile?.id;
    await empty(other, site);
    expect(await trackNumbers(tab, 0, 20)).toBe(20);
    // While the browser is at it the disk may be silent, and memory keep what is called.
    const afterwards = async () => {
      expect(await track(tab, "after")).toEqual(STORED);
      await settle(tab);
      const { storage, profile } = (await stateOf(tab)) ?? {};
      return { storage, kind: profile?.kind, isNew: profile?.id !== before };
    };
    await expect
      .poll(afterwards, { timeout: 30_000 })
      .toEqual({ storage: "disk", kind: "visitor", isNew: true });
    // The definitions are still known: offline, what they do not allow would be accepted otherwise.
    const wrong = await tab.evaluate(() => window.sdk.track("numbered", { n: "no number" }));
    expect(wrong).toMatchObject({ success: false, error: { code: 2016 } });
    expect(await numbersArrived(site, tab)).toEqual(upTo(20));
  });

  test("behind a transaction that does not end, calls are stored in memory and arrive once", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    const before = await stateOf(tab);
    const held = await holdDatabase(browser, site);
    expect(await trackNumbers(tab, 0, 20)).toBe(20);
    await tab.waitForFunction(() => window.sdk.state?.storage === "memory");
    await settle(tab);
    expect(await stateOf(tab)).toMatchObject({ profile: before?.profile, outbox: { waiting: 0 } });
    site.setReachable(false);
    expect(await trackNumbers(tab, 20, 20)).toBe(20);
    await held.letGo();
    await tab.waitForFunction(() => window.sdk.state?.storage === "disk");
    const inspected = await tab.evaluate(() => window.sdk.inspect({ state: "waiting" }));
    expect(inspected).toMatchObject({ success: true, data: { length: 20 } });
    site.setReachable(true);
    expect((await stateOf(tab))?.session?.id).toBe(before?.session?.id);
    expect(await numbersArrived(site, tab)).toEqual(upTo(40));
  });

  test("all tabs of a host in memory go on with the one that begins on the disk, as the same visitor", async () => {
    const { browser, site } = setting;
    const [tab, other] = [await visit(browser, site), await visit(browser, site)];
    await settle(other);
    const before = await stateOf(tab);
    const held = await holdDatabase(browser, site);
    expect(await trackNumbers(tab, 0, 5)).toBe(5);
    for (const each of [tab, other]) {
      await each.waitForFunction(() => window.sdk.state?.storage === "memory");
    }
    await held.letGo();
    for (const each of [tab, other]) await each.waitForFunction(() => window.sdk.state?.storage === "disk");
    expect(await trackNumbers(tab, 5, 5)).toBe(5);
    expect(await trackNumbers(other, 10, 5)).toBe(5);
    for (const each of [tab, other]) {
      expect(await stateOf(each)).toMatchObject({
        profile: before?.profile,
        session: { id: before?.session?.id },
      });
    }
    await settle(other);
    expect(numbersAccepted(site)).toEqual(upTo(15));
  });

  test("a tab that opens behind such a transaction starts in memory", async () => {
    const { browser, site } = setting;
    const first = await visit(browser, site);
    await settle(first);
    const held = await holdDatabase(browser, site);
    await first.close();
    const tab = await openTab(browser, site);
    expect(await init(tab, site.trackingKey, { host: "dedicated" })).toEqual(STORED);
    expect(await trackNumbers(tab, 0, 20)).toBe(20);
    expect((await stateOf(tab))?.storage).toBe("memory");
    await held.letGo();
    await tab.waitForFunction(() => window.sdk.state?.storage === "disk");
    await settle(tab);
    // As a visitor of its own, for who was here before stands on the disk.
    expect(numbersAccepted(site)).toEqual(upTo(20));
  });
});

describe("a browser that lacks a feature", () => {
  test.each([
    ["missing", () => Object.defineProperty(window, "indexedDB", { value: undefined })],
    [
      "refused",
      () => {
        IDBFactory.prototype.open = () => {
          throw new DOMException("denied", "SecurityError");
        };
      },
    ],
    [
      "silent",
      () => {
        IDBFactory.prototype.open = () => new EventTarget() as IDBOpenDBRequest;
      },
    ],
  ])("where IndexedDB is %s, everything is delivered from memory", async (_, breakIt) => {
    const { browser, site } = setting;
    await browser.addInitScript(breakIt);
    const tab = await visit(browser, site, { host: "page" });
    expect((await stateOf(tab))?.storage).toBe("memory");
    expect(await trackNumbers(tab, 0, 20)).toBe(20);
    expect(await numbersArrived(site, tab)).toEqual(upTo(20));
  });

  test("without BroadcastChannel nothing is missing", async () => {
    const { browser, site } = setting;
    await browser.addInitScript(() =>
      Object.defineProperty(window, "BroadcastChannel", { value: undefined }),
    );
    const tab = await visit(browser, site, { host: "page" });
    expect(await trackNumbers(tab, 0, 20)).toBe(20);
    expect(await numbersArrived(site, tab)).toEqual(upTo(20));
  });
});

test("a worker opens the database that its name tells before a page attaches to it", async () => {
  const tab = await openTab(setting.browser, setting.site);
  await tab.evaluate(() => {
    const { port } = new SharedWorker("/sdk/worker.js", {
      type: "module",
      name: "people-tracking:shop:v1:0",
    });
    port.start();
  });
  const databases = () => tab.evaluate(() => indexedDB.databases());
  await expect.poll(databases).toContainEqual({ name: "people-tracking:shop", version: 10 });
});

test("a page that has loaded a Dexie of another version can be the host", async () => {
  const { browser, site } = setting;
  const tab = await openTab(browser, site);
  // As Dexie makes itself known to other copies of it.
  await tab.evaluate(() => Object.assign(globalThis, { [Symbol.for("Dexie")]: { semVer: "3.2.7" } }));
  expect(await init(tab, site.trackingKey, { host: "page" })).toEqual(STORED);
  expect(await stateOf(tab)).toMatchObject({ host: "page", storage: "disk" });
});
