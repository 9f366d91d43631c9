/** The end of a page: nothing that it called for is lost, whatever it was in the middle of, and nothing counts twice. */
import { describe, expect, test, vi } from "vitest";
import type { Page } from "playwright";
import { numbersAccepted, numbersArrived, upTo } from "./support/arrivals.js";
import { journalsOf, leaveJournal, noJournalsLeft, silenceHost } from "./support/journals.js";
import { useSetting } from "./support/setting.js";
import { init, openTab, settle, trackNumbers, visit } from "./support/visit.js";

const NAMESPACE = "shop";
const OPTIONS = { namespace: NAMESPACE, host: "dedicated" } as const;
const setting = useSetting();

/** A page of the site without a tracker, to look at what lies in the browser. */
const lookAround = (): Promise<Page> => openTab(setting.browser, setting.site);
const revisit = (): Promise<Page> => visit(setting.browser, setting.site, OPTIONS);

/** The calls that a page makes on its way out, and in which of its handlers. */
const trackAt = (page: Page, target: "window" | "document", type: string, n: number): Promise<void> =>
  page.evaluate(
    ([name, event, number]) => {
      const on = name === "window" ? window : document;
      on.addEventListener(event, () => {
        if (event === "visibilitychange" && document.visibilityState !== "hidden") return;
        void window.sdk.track("numbered", { n: number });
      });
    },
    [target, type, n] as const,
  );

describe("the end of a page", () => {
  test.each(["dedicated", "page", "shared"] as const)(
    "what a page tracks in its last handlers arrives at the next visit, once (host: %s)",
    async (host) => {
      const { browser, site } = setting;
      const page = await openTab(browser, site);
      await trackAt(page, "window", "pagehide", 0); // registered before the SDK's own
      await init(page, site.trackingKey, { namespace: NAMESPACE, host });
      await settle(page);
      await trackAt(page, "window", "pagehide", 1);
      await trackAt(page, "document", "visibilitychange", 2);
      await trackAt(page, "window", "unload", 3);
      await silenceHost(page);
      await page.close();

      const next = await visit(browser, site, { namespace: NAMESPACE, host });
      await noJournalsLeft(next);
      expect(new Set(await numbersArrived(site, next))).toEqual(new Set([0, 1, 2, 3]));
    },
  );

  test.each(["dedicated", "shared"] as const)(
    "what was called in the very task that closes the last tab arrives, once (host: %s)",
    async (host) => {
      const { browser, site } = setting;
      const opener = await lookAround();
      const opening = browser.waitForEvent("page");
      await opener.evaluate(() => void open("/", "_blank")); // scripts may close what a script has opened
      const page = await opening;
      await page.waitForFunction(() => window.loaded);
      await opener.close();
      await init(page, site.trackingKey, { namespace: NAMESPACE, host });
      await settle(page);
      const closed = page.waitForEvent("close");
      await page
        .evaluate(() => {
          for (let n = 0; n < 50; n++) void window.sdk.track("numbered", { n });
          window.close();
        })
        .catch(() => undefined); // the page is gone before it can answer
      await closed;
      const next = await visit(browser, site, { namespace: NAMESPACE, host });
      await noJournalsLeft(next);
      expect(await numbersArrived(site, next)).toEqual(upTo(50));
    },
  );

  test("a call made when the page has been hidden is kept, for phones end such pages without an event", async () => {
    const { browser, site } = setting;
    const page = await visit(browser, site, OPTIONS);
    await settle(page);
    await silenceHost(page);
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
      void window.sdk.track("numbered", { n: 0 });
    });
    const observer = await lookAround();
    await observer.waitForFunction(() => Object.keys(localStorage).some((key) => key.includes(":journal:")));
    const crashed = page.waitForEvent("crash");
    await page.goto("chrome://crash").catch(() => undefined);
    await crashed;
    const next = await revisit();
    await noJournalsLeft(next);
    expect(await numbersArrived(site, next)).toEqual([0]);
  });

  test("200 operations made while the service is down, the tab closed at once: 200 arrive in order", async () => {
    const { browser, site } = setting;
    const page = await visit(browser, site, OPTIONS);
    await settle(page);
    site.setReachable(false);
    await page.evaluate(() => {
      for (let n = 0; n < 200; n++) void window.sdk.track("numbered", { n });
    });
    await page.close();
    site.setReachable(true);
    const next = await revisit();
    await noJournalsLeft(next);
    expect(await numbersArrived(site, next)).toEqual(upTo(200));
  });

  test("the shared worker outlives the last tab and delivers without it (extendedLifetime)", async () => {
    const { browser, site } = setting;
    const page = await visit(browser, site, { host: "shared" });
    await settle(page);
    await page.evaluate(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
      addEventListener("pagehide", () => {
        for (let n = 0; n < 100; n++) void window.sdk.track("numbered", { n });
      });
    });
    await page.close();
    await vi.waitFor(() => expect(numbersAccepted(site)).toEqual(upTo(100)), 30_000);
  });

  test("a page that is visible, with a worker that outlives it, writes no journal", async () => {
    const { browser, site } = setting;
    const page = await visit(browser, site, { host: "shared" });
    await page.evaluate(() => {
      const written: string[] = [];
      Storage.prototype.setItem = (key) => void written.push(key);
      Object.assign(window, { written });
    });
    expect(await trackNumbers(page, 0, 100)).toBe(100);
    expect(await page.evaluate(() => (window as unknown as { written: string[] }).written)).toEqual([]);
  });
});

describe("the unload journal", () => {
  test("where the browser does not keep its workers, each batch is journaled once and the key goes when it is stored", async () => {
    const { browser, site } = setting;
    const page = await openTab(browser, site);
    await page.evaluate(() => {
      Object.defineProperty(navigator, "vendor", { value: "Apple Computer, Inc." });
      const log: string[] = [];
      for (const name of ["setItem", "removeItem"] as const) {
        const original: (...args: string[]) => void = Reflect.get(Storage.prototype, name);
        Storage.prototype[name] = function (...args: string[]) {
          log.push(name);
          original.apply(this, args);
        };
      }
      Object.assign(window, { log });
    });
    await init(page, site.trackingKey, { ...OPTIONS, pageViews: "manual" });
    expect(await trackNumbers(page, 0, 100)).toBe(100);
    expect(await page.evaluate(() => (window as unknown as { log: string[] }).log)).toEqual([
      "setItem",
      "removeItem",
    ]);

    // And its last batch is there when it closes without a `pagehide`.
    await page.evaluate(() =>
      addEventListener("pagehide", (event) => event.stopImmediatePropagation(), true),
    );
    await silenceHost(page);
    await page.evaluate(() => {
      void window.sdk.track("numbered", { n: 100 });
    });
    await page.close();
    const next = await revisit();
    await noJournalsLeft(next);
    expect(await numbersArrived(site, next)).toEqual(upTo(101));
  });

  test("a journal holds no key of the site's, no deadline, and only this version's fields", async () => {
    const { browser, site } = setting;
    const page = await visit(browser, site, OPTIONS);
    await settle(page);
    await silenceHost(page);
    await trackAt(page, "window", "pagehide", 7);
    await page.close();
    const [[key, text] = []] = Object.entries(await journalsOf(await lookAround()));
    expect(key).toMatch(/^people-tracking:shop:journal:[a-z0-9]{16}$/);
    expect(text).not.toContain(site.trackingKey);
    expect(JSON.parse(text ?? "")).toEqual({
      v: 3,
      pageId: key?.slice(-16),
      at: expect.any(Number),
      batches: [
        {
          generation: 0,
          sessionTimeoutMs: 1_800_000,
          maxWaiting: 100_000,
          deliveryDelayMs: 1_000,
          page: { url: expect.any(String), title: "Fixture" },
          commands: [
            {
              type: "track",
              n: expect.any(Number),
              at: expect.any(Number),
              eventId: "numbered",
              properties: { n: 7 },
            },
          ],
        },
      ],
    });
  });

  test("a journal taken in by several tabs at once counts once", async () => {
    const { browser, site } = setting;
    const page = await visit(browser, site, { ...OPTIONS, pageViews: "manual" });
    await settle(page);
    const tabs = await Promise.all([lookAround(), lookAround(), lookAround(), lookAround()]);
    await leaveJournal(page, NAMESPACE, { pageId: "abcdefghij012345", from: 0, count: 100 });
    await Promise.all(tabs.map((tab) => init(tab, site.trackingKey, { ...OPTIONS, pageViews: "manual" })));
    await noJournalsLeft(page);
    // Again, as by a tab that was frozen while the others did it.
    await leaveJournal(page, NAMESPACE, { pageId: "abcdefghij012345", from: 0, count: 100 });
    await noJournalsLeft(page);
    expect(await numbersArrived(site, page)).toEqual(upTo(100));
  });

  test("broken, foreign, huge and outdated journals harm nothing", async () => {
    const { site } = setting;
    const page = await lookAround();
    const key = (pageId: string) => `people-tracking:${NAMESPACE}:journal:${pageId}`;
    const day = 24 * 60 * 60 * 1000;
    await leaveJournal(page, NAMESPACE, { pageId: "newversionnewver", from: 900, count: 1, v: 9 });
    await leaveJournal(page, NAMESPACE, {
      pageId: "newversionandold",
      from: 900,
      count: 1,
      v: 9,
      at: Date.now() - 46 * day,
    });
    await leaveJournal(page, NAMESPACE, {
      pageId: "outdatedoutdated",
      from: 900,
      count: 1,
      at: Date.now() - 46 * day,
    });
    await leaveJournal(page, "other", { pageId: "othernamespace00", from: 900, count: 1 });
    const texts = {
      notjsonnotjson00: "{",
      nullnullnullnull: "null",
      nothingnothing00: "{}",
      anotherspageid00: JSON.stringify({ v: 3, pageId: "xxxxxxxxxxxxxxxx", at: Date.now(), batches: [] }),
      nolistofbatches0: JSON.stringify({ v: 3, pageId: "nolistofbatches0", at: Date.now(), batches: 5 }),
      nocommandsatall0: JSON.stringify({
        v: 3,
        pageId: "nocommandsatall0",
        at: Date.now(),
        batches: [
          null,
          {},
          { commands: 5 },
          {
            commands: [null, 5, {}, { type: "track", n: -1 }, { type: "erase", n: 1, at: 1, generation: 1 }],
          },
        ],
      }),
      hugehugehugehuge: "9".repeat(2_000_000),
    };
    await page.evaluate(
      ([prefix, given]) => {
        for (const [id, text] of Object.entries(given)) localStorage.setItem(prefix + id, text);
        localStorage.setItem(`${prefix}not a page's id`, "the site's own");
      },
      [key(""), texts] as const,
    );
    const next = await revisit();
    const kept = [
      key("newversionnewver"),
      key("not a page's id"),
      "people-tracking:other:journal:othernamespace00",
    ];
    await next.waitForFunction(
      (count) => Object.keys(localStorage).filter((name) => name.includes(":journal:")).length === count,
      kept.length,
    );
    expect(Object.keys(await journalsOf(next)).toSorted()).toEqual(kept.toSorted());
    expect(await trackNumbers(next, 0, 10)).toBe(10);
    expect(await numbersArrived(site, next)).toEqual(upTo(10));
  });

  test("a page without localStorage tracks as any other", async () => {
    const { browser, site } = setting;
    const page = await openTab(browser, site);
    await page.evaluate(() => {
      // The fixture's own lies in localStorage.
      Object.assign((window as unknown as { LiveChat: object }).LiveChat, { session: () => null });
      Object.defineProperty(window, "localStorage", {
        get: () => {
          throw new DOMException("denied", "SecurityError");
        },
      });
    });
    expect(await init(page, site.trackingKey, OPTIONS)).toMatchObject({ success: true });
    await page.evaluate(() => dispatchEvent(new Event("pagehide")));
    expect(await trackNumbers(page, 0, 5)).toBe(5);
    expect(await page.evaluate(() => window.sdk.eraseLocalData())).toMatchObject({ success: true });
  });

  test("erasing removes the namespace's journals, and an older one counts for nothing", async () => {
    const { browser, site } = setting;
    const page = await visit(browser, site, OPTIONS);
    await settle(page);
    await page.waitForFunction(() => performance.getEntriesByName(`${origin}/sdk/after-start.js`).length > 0);
    await leaveJournal(page, "other", { pageId: "othernamespace00", from: 900, count: 1 });
    await page.evaluate(() =>
      localStorage.setItem("people-tracking:shop:journal:newversionnewver", JSON.stringify({ v: 9 })),
    );
    expect(await page.evaluate(() => window.sdk.eraseLocalData())).toMatchObject({ success: true });
    expect(Object.keys(await journalsOf(page))).toEqual(["people-tracking:other:journal:othernamespace00"]);

    await leaveJournal(page, NAMESPACE, { pageId: "olderthanerasing", from: 0, count: 3, generation: 0 });
    const next = await revisit();
    await next.waitForFunction(
      () => !Object.keys(localStorage).some((key) => key.endsWith("olderthanerasing")),
    );
    expect(await numbersArrived(site, next)).toEqual([]);
  });

  test("opted out, a journal is refused like any other call", async () => {
    const { browser, site } = setting;
    const page = await visit(browser, site, OPTIONS);
    await page.evaluate(() => window.sdk.optOut());
    await leaveJournal(page, NAMESPACE, { pageId: "abcdefghij012345", from: 0, count: 3 });
    const next = await revisit();
    await noJournalsLeft(next);
    await next.evaluate(() => window.sdk.optIn());
    expect(await numbersArrived(site, next)).toEqual([]);
  });
});

describe("the back-forward cache", () => {
  test.each(["dedicated", "page", "shared"] as const)(
    "a page that tracks as it goes comes back from the back-forward cache, and nothing counts twice (host: %s)",
    async (host) => {
      const { browser, site } = setting;
      const options = { namespace: NAMESPACE, host, pageViews: "manual" } as const;
      const page = await visit(browser, site, options);
      await settle(page);
      await page.evaluate(() => {
        addEventListener("pagehide", () => {
          const calls = Array.from({ length: 20 }, (_, n) => window.sdk.track("numbered", { n }));
          Object.assign(window, { outcomes: Promise.all(calls) });
        });
        addEventListener("pageshow", ({ persisted }) => Object.assign(window, { persisted }));
      });
      await page.goto(`${site.origin}/elsewhere`);
      // A shared worker does at once what it is asked, and has much to tell to a page in the cache; others freeze with it.
      const sentMeanwhile = host === "shared" ? 20 : 0;
      await expect
        .poll(() => numbersAccepted(site).length, { timeout: 30_000 })
        .toBeGreaterThanOrEqual(sentMeanwhile);
      await page.goBack({ waitUntil: "commit" }); // a restored page does not load again
      await page.waitForFunction(() => (window as unknown as { persisted?: boolean }).persisted);
      const outcomes = await page.evaluate(
        () => (window as unknown as { outcomes: Promise<{ success: boolean }[]> }).outcomes,
      );
      expect(outcomes.filter(({ success }) => success)).toHaveLength(20);
      await noJournalsLeft(page);
      expect(await numbersArrived(site, page)).toEqual(upTo(20));
    },
  );
});
