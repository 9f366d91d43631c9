/// <reference types="zone.js" />
/** Beside zone.js, with which Angular follows what an app has under way: the tracker is no part of it. */
import { createRequire } from "node:module";
import { beforeEach, describe, expect, test } from "vitest";
import type { Page } from "playwright";
import type { HostKind, LiveChatSource } from "../../src/main/index.js";
import { useSetting } from "./support/setting.js";
import { openTab, profileIs, settle } from "./support/visit.js";

const ZONE = createRequire(import.meta.url).resolve("zone.js");

const setting = useSetting({ isBrowserFresh: true });
let page: Page;

declare global {
  interface Window {
    LiveChat: LiveChatSource;
    /** What the tracker has given to Live Chat. */
    report: Parameters<LiveChatSource["subscribe"]>[0];
    app: Zone;
    /** What was scheduled in the app's zone, or run in it by the platform. */
    seen: string[];
  }
}

/** A page with a zone like Angular's, told of all that an app's stability hangs on. */
beforeEach(async () => {
  const { browser, site } = setting;
  await browser.addInitScript({ path: ZONE });
  page = await openTab(browser, site);
  await page.evaluate(() => {
    window.seen = [];
    window.app = Zone.current.fork({
      name: "app",
      onScheduleTask: (parent, _, target, task) => {
        window.seen.push(`schedules ${task.type} ${task.source}`);
        return parent.scheduleTask(target, task);
      },
      onInvokeTask: (parent, _, target, task, ...given) => {
        window.seen.push(`runs ${task.type} ${task.source}`);
        return parent.invokeTask(target, task, ...given) as unknown;
      },
    });
  });
});

const startInApp = (host: HostKind) =>
  page.evaluate(
    ([key, kind]) =>
      window.app.run(() => {
        const liveChat: LiveChatSource = {
          ...window.LiveChat,
          subscribe: (report) => {
            window.report = report;
            return () => {};
          },
        };
        window.sdk = new window.PeopleTrackingSDK({ host: kind, pageViews: "spa", liveChat });
        return window.sdk.init(key);
      }),
    [setting.site.trackingKey, host] as const,
  );

describe("Angular zones", () => {
  test.each(["shared", "page"] as const)("nothing of ours runs in the app's zone (%s host)", async (host) => {
    // A browser without the Navigation API is told of navigations by the app's own calls.
    await page.addScriptTag({ content: "var navigation = 0;" });
    expect(await startInApp(host)).toMatchObject({ success: true });
    await settle(page);
    await page.evaluate(() => window.app.run(() => history.pushState(null, "", "/one")));
    expect(
      await page.evaluate(() => window.app.run(() => window.sdk.track("action", { name: "looked" }))),
    ).toMatchObject({ success: true });
    expect(await page.evaluate(() => window.app.run(() => window.sdk.flush()))).toMatchObject({
      success: true,
    });
    // So is Live Chat, wherever it runs.
    await page.evaluate(async () => {
      await window.widget.startChat();
      window.app.run(() => window.report(window.LiveChat.session()));
    });
    await profileIs(page, "lead");
    await settle(page);
    expect(
      await page.evaluate(() => {
        const tracked = window.app.run(() => window.sdk.track("action", { name: "last" }));
        window.app.run(() => window.sdk.close());
        return tracked;
      }),
    ).toMatchObject({ success: true });
    expect(await page.evaluate(() => window.seen)).toEqual([]);
  });

  test("a subscriber is called in the zone in which it subscribed", async () => {
    await startInApp("shared");
    await settle(page);
    const zones = await page.evaluate(async () => {
      const names: string[] = [];
      const note = (): void => void names.push(Zone.current.name);
      window.app.run(() => window.sdk.subscribe(note));
      window.sdk.subscribe(note);
      names.length = 0;
      await window.sdk.optOut();
      return names;
    });
    expect(zones).toEqual(["app", "<root>"]);
  });
});
