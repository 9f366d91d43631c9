/** The service worker that delivers when no tab is there, woken by the browser. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { BrowserContext, Page } from "playwright";
import { numbersAccepted, numbersArrived, upTo } from "./support/arrivals.js";
import { silenceHost } from "./support/journals.js";
import { withServiceWorker } from "./support/service-worker.js";
import { useSetting } from "./support/setting.js";
import { openTab, profileIs, settle, trackNumbers, visit } from "./support/visit.js";

const OPTIONS = { namespace: "shop", serviceWorkerUrl: "/sdk/service-worker.js" };
const TAG = "people-tracking:shop";
/** What the site of a test serves besides, under `/own/`. */
const own = await mkdtemp(join(tmpdir(), "people-tracking-own-"));
const setting = useSetting({ folders: { "/own/": own }, isBrowserFresh: true });
afterAll(() => rm(own, { recursive: true }));

const fileOf = (url: string): Promise<string> => readFile(new URL(url, import.meta.url), "utf8");

/** The `sync` event as the browser fires it when the link is back. */
const dispatchSync = async (browser: BrowserContext, origin: string, tag = TAG): Promise<void> => {
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
    tag,
    lastChance: true,
  });
};

describe("Background Sync", () => {
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

  test("a sync goes on for the others where one person cannot be registered, and they fail at first", async () => {
    const { browser, site } = setting;
    const page = await withServiceWorker(await visit(browser, site, { ...OPTIONS, host: "dedicated" }));
    await settle(page);
    const error = { code: 4041, name: "NotFoundError", message: "no", origin: "test", platform: "test" };
    const refusal = { status: 404, body: JSON.stringify({ error }) };
    let isDown = true;
    site.intercept(({ registering, operations }) => {
      if (registering?.kind === "lead") return refusal;
      return isDown && operations.length > 0 ? "503" : undefined;
    });
    await page.evaluate(() => window.widget.startChat());
    await profileIs(page, "lead");
    expect(await trackNumbers(page, 0, 3)).toBe(3);
    await page.evaluate(() => window.widget.signOut());
    await profileIs(page, "visitor");
    expect(await trackNumbers(page, 3, 3)).toBe(3);
    await page.close();
    const before = site.requests.length;
    isDown = false;
    let failures = 1;
    site.intercept(({ registering, operations }) => {
      if (registering?.kind === "lead") return refusal;
      return operations.length > 0 && failures-- > 0 ? "503" : undefined;
    });
    await dispatchSync(browser, site.origin);
    await vi.waitFor(() => expect(numbersAccepted(site)).toEqual([3, 4, 5]), 20_000);
    expect(site.requests.slice(before).some(({ registering }) => registering?.kind === "lead")).toBe(true);
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

  test("a page asks for a sync when it is hidden with calls unanswered, and not when there is nothing to deliver", async () => {
    const { browser, site } = setting;
    const page = await withServiceWorker(await visit(browser, site, OPTIONS));
    await settle(page);
    await page.waitForFunction(() => window.sdk.state?.outbox.waiting === 0);
    const asked = await page.evaluateHandle(() => {
      const tags: string[] = [];
      const { SyncManager } = globalThis as unknown as { SyncManager: { prototype: object } };
      Object.assign(SyncManager.prototype, { register: async (tag: string) => tags.push(tag) });
      Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
      return tags;
    });
    const hide = () => page.evaluate(() => void document.dispatchEvent(new Event("visibilitychange")));
    await hide();
    expect(await asked.jsonValue()).toEqual([]);
    await silenceHost(page);
    await page.evaluate(() => void window.sdk.track("numbered", { n: 0 }));
    await hide();
    expect(await asked.jsonValue()).toEqual([TAG]);
  });

  test("a new version of the service worker takes over and delivers what waits", async () => {
    const { browser, site } = setting;
    const first = await fileOf("../../dist/service-worker.js");
    const path = join(own, "service-worker.js");
    await writeFile(path, first);
    const options = { ...OPTIONS, serviceWorkerUrl: "/own/service-worker.js", host: "dedicated" } as const;
    const page = await withServiceWorker(await visit(browser, site, options));
    await settle(page);

    await writeFile(
      path,
      `${first}\naddEventListener("message", ({ source }) => source.postMessage("second"));`,
    );
    const next = await visit(browser, site, { ...options, pageViews: "manual" });
    const version = next.evaluate(
      () =>
        new Promise<unknown>((resolve) => {
          navigator.serviceWorker.addEventListener("message", ({ data }) => resolve(data));
          navigator.serviceWorker.startMessages();
          // Each once: a worker that is kept busy with messages gives way to no other.
          const asked = new Set<ServiceWorker | null>([null]);
          const ask = async (): Promise<void> => {
            const [registration] = await navigator.serviceWorker.getRegistrations();
            const active = registration?.active ?? null;
            if (!asked.has(active)) active?.postMessage("which?");
            asked.add(active);
            setTimeout(() => void ask(), 50);
          };
          void ask();
        }),
    );
    expect(await version).toBe("second");

    site.setReachable(false);
    expect(await trackNumbers(page, 0, 50)).toBe(50);
    await Promise.all([page.close(), next.close()]);
    expect(numbersAccepted(site)).toEqual([]);
    site.setReachable(true);
    await dispatchSync(browser, site.origin);
    await vi.waitFor(() => expect(numbersAccepted(site)).toEqual(upTo(50)), 60_000);
  });
});

/** A service worker that answers requests and has a sync of its own, and the SDK's in one line. */
const SITE_WORKER = `
  importScripts("/sdk/background-sync.js");
  const told = new BroadcastChannel("site");
  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => {
    if (event.request.url.endsWith("/greeting")) event.respondWith(new Response("from the site's worker"));
  });
  addEventListener("sync", (event) => {
    if (event.tag === "site") event.waitUntil(Promise.resolve().then(() => told.postMessage("site")));
  });`;

/** Of the fixture, at a path that the site's own worker controls. */
const openOwnPage = async (head = ""): Promise<Page> => {
  const html = await fileOf("fixture/index.html");
  await writeFile(join(own, "page.html"), html.replace("<head>", `<head>${head}`));
  return openTab(setting.browser, setting.site, "/own/page.html");
};

describe("a site's own service worker", () => {
  test("a site's own service worker delivers too by one line in it, and goes on with its own work", async () => {
    const { browser, site } = setting;
    await writeFile(join(own, "site-worker.js"), SITE_WORKER);
    const controlled = await openOwnPage();
    await controlled.evaluate(async () => {
      await navigator.serviceWorker.register("/own/site-worker.js");
      while (!navigator.serviceWorker.controller) {
        await new Promise((next) => setTimeout(next, 20));
      }
      const heard: unknown[] = [];
      new BroadcastChannel("site").addEventListener("message", ({ data }) => heard.push(data));
      Object.assign(window, { heard });
    });
    const options = { ...OPTIONS, serviceWorkerUrl: "/own/site-worker.js", host: "dedicated" } as const;
    const page = await withServiceWorker(await visit(browser, site, options));
    await settle(page);
    site.setReachable(false);
    expect(await trackNumbers(page, 0, 50)).toBe(50);
    await page.close();

    const heard = () => controlled.evaluate(() => (window as unknown as { heard: unknown[] }).heard);
    await dispatchSync(browser, site.origin, "site");
    await expect.poll(heard, { timeout: 30_000 }).toEqual(["site"]);
    site.setReachable(true);
    await dispatchSync(browser, site.origin);
    await vi.waitFor(() => expect(numbersAccepted(site)).toEqual(upTo(50)), 60_000);
    expect(await heard()).toEqual(["site"]);
    expect(await controlled.evaluate(async () => (await fetch("/own/greeting")).text())).toBe(
      "from the site's worker",
    );
  });

  test("where Trusted Types are required, the site's own registration is found and no other made", async () => {
    const { site } = setting;
    await writeFile(join(own, "site-worker.js"), SITE_WORKER);
    const page = await openOwnPage(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'self'; require-trusted-types-for 'script';
     trusted-types people-tracking-sdk site">`,
    );
    const violations: string[] = [];
    page.on("console", (message) => message.type() === "error" && violations.push(message.text()));
    const scopes = await page.evaluate(async (key) => {
      type Policy = { createScriptURL(url: string): string };
      const { trustedTypes } = globalThis as unknown as {
        trustedTypes: { createPolicy(name: string, policy: Policy): Policy };
      };
      const policy = trustedTypes.createPolicy("site", { createScriptURL: (url) => url });
      const url = policy.createScriptURL("/own/site-worker.js");
      const registered = await navigator.serviceWorker.register(url, { scope: "/own/of/its/own/" });
      const { prototype } = ServiceWorkerContainer;
      const asked = new Promise((resolve) => {
        prototype.register = async (_url, options) => {
          resolve(options);
          return registered;
        };
      });
      window.sdk = new window.PeopleTrackingSDK({
        namespace: "shop",
        serviceWorkerUrl: "/own/site-worker.js",
      });
      await window.sdk.init(key);
      return asked;
    }, site.trackingKey);
    expect(scopes).toEqual({ scope: `${site.origin}/own/of/its/own/` });
    expect(violations.filter((text) => !text.includes("favicon"))).toEqual([]);
  });

  test("a strict policy with required Trusted Types lets the service worker be registered", async () => {
    const { site } = setting;
    const page = await openOwnPage(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'self'; require-trusted-types-for 'script';
     trusted-types people-tracking-sdk">`,
    );
    const violations: string[] = [];
    page.on("console", (message) => message.type() === "error" && violations.push(message.text()));
    const outcome = await page.evaluate(
      ([key, options]) => {
        window.sdk = new window.PeopleTrackingSDK(options);
        return window.sdk.init(key);
      },
      [site.trackingKey, OPTIONS] as const,
    );
    expect(outcome).toEqual({ success: true, data: null });
    await withServiceWorker(page);
    expect(violations.filter((text) => !text.includes("favicon"))).toEqual([]);
  });
});

describe("a browser or a site without Background Sync", () => {
  test.each(["denied", "missing"] as const)(
    "where Background Sync is %s nothing fails, and the next start delivers",
    async (why) => {
      const { browser, site } = setting;
      const errors: Error[] = [];
      browser.on("weberror", (error) => errors.push(error.error()));
      const any = await openTab(browser, site);
      const session = await browser.newCDPSession(any);
      if (why === "denied") {
        const permission = { name: "background-sync" };
        await session.send("Browser.setPermission", { permission, setting: "denied", origin: site.origin });
      } else {
        await browser.addInitScript(() => Reflect.deleteProperty(globalThis, "SyncManager"));
      }
      const options = { ...OPTIONS, host: "dedicated" } as const;
      const page = await visit(browser, site, options);
      await settle(page);
      if (why === "denied") await withServiceWorker(page);
      site.setReachable(false);
      expect(await trackNumbers(page, 0, 50)).toBe(50);
      await page.waitForFunction(() => window.sdk.state?.delivery.status === "retrying");
      const tags = await page.evaluate(async () => {
        const [registration] = await navigator.serviceWorker.getRegistrations();
        const { sync } = (registration ?? {}) as { sync?: { getTags(): Promise<string[]> } };
        return sync?.getTags().catch(() => []);
      });
      expect(tags ?? []).toEqual([]);
      await page.close();
      site.setReachable(true);
      expect(await numbersArrived(site, await visit(browser, site, options))).toEqual(upTo(50));
      expect(errors).toEqual([]);
    },
  );

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
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(
      0,
    );
  });
});
