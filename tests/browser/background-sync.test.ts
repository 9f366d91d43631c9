/** The service worker that delivers when no tab is there, woken by the browser. */
import { expect, test, vi } from "vitest";
import type { BrowserContext, Page } from "playwright";
import { numbersAccepted, upTo } from "./support/arrivals.js";
import { useSetting } from "./support/setting.js";
import { settle, trackNumbers, visit } from "./support/visit.js";

const OPTIONS = { namespace: "shop", serviceWorkerUrl: "/sdk/service-worker.js" };
const TAG = "people-tracking:shop";
const setting = useSetting();

/** Until the service worker runs that the page asks for. */
const withServiceWorker = async (page: Page): Promise<Page> => {
  const states = () =>
    page.evaluate(async () =>
      (await navigator.serviceWorker.getRegistrations()).map(({ active }) => active?.state),
    );
  await expect.poll(states, { timeout: 30_000 }).toEqual(["activated"]);
  return page;
};

/** The `sync` event as the browser fires it when the link is back. */
const dispatchSync = async (browser: BrowserContext, origin: string): Promise<void> => {
  const page = await browser.newPage();
  const session = await browser.newCDPSession(page);
  const versions: { registrationId: string; status: string }[] = [];
  session.on("ServiceWorker.workerVersionUpdated", (event) => versions.push(...event.versions));
  await session.send("ServiceWorker.enable");
  await vi.waitFor(() => expect(versions.some(({ status }) => status === "activated")).toBe(true), 30_000);
  const registrationId = versions.find(({ status }) => status === "activated")?.registrationId ?? "";
  await session.send("ServiceWorker.dispatchSyncEvent", {
    origin,
    registrationId,
    tag: TAG,
    lastChance: true,
  });
};

test("after the last tab is gone, the browser's sync event delivers everything, without any tab", async () => {
  const { browser, site } = setting;
  const page = await withServiceWorker(await visit(browser, site, { ...OPTIONS, host: "dedicated" }));
  await settle(page);
  site.setReachable(false);
  expect(await trackNumbers(page, 0, 200)).toBe(200);
  await page.close();
  expect(numbersAccepted(site)).toEqual([]);
  site.setReachable(true);
  await dispatchSync(browser, site.origin);
  await vi.waitFor(() => expect(numbersAccepted(site)).toEqual(upTo(200)), 60_000);
});

test("a page asks for a sync when something waits that cannot be delivered now", async () => {
  const { browser, site } = setting;
  const page = await withServiceWorker(await visit(browser, site, OPTIONS));
  await settle(page);
  const asked = page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        const { SyncManager } = globalThis as unknown as { SyncManager: { prototype: object } };
        Object.assign(SyncManager.prototype, { register: async (tag: string) => resolve(tag) });
      }),
  );
  site.setReachable(false);
  await trackNumbers(page, 0, 3);
  expect(await asked).toBe(TAG);
});

test.each(["/sdk/no-such-worker.js", "https://elsewhere.example/worker.js"])(
  "a service worker that cannot be had (%s) harms nothing",
  async (serviceWorkerUrl) => {
    const { browser, site } = setting;
    const page = await visit(browser, site, { ...OPTIONS, serviceWorkerUrl });
    expect(await trackNumbers(page, 0, 5)).toBe(5);
    await settle(page);
    expect(numbersAccepted(site)).toEqual(upTo(5));
  },
);

test("a site without the option has no service worker", async () => {
  const { browser, site } = setting;
  const page = await visit(browser, site);
  await settle(page);
  expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
});
