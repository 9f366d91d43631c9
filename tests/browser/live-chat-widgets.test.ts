/** A site with a chat widget, its adapter and the real service, in two tabs. */
import { describe, expect, test } from "vitest";
import type { Page } from "playwright";
import type { LiveChatSessionSource } from "../../src/live-chat/index.js";
import type { Outcome } from "../../src/main/index.js";
import { useSetting } from "./support/setting.js";
import { openTab, profileIs, settle, stateOf, track } from "./support/visit.js";

const setting = useSetting({ script: "/fixture/infobip.js" });

declare global {
  interface Window {
    liveChat(command: string, argument?: string, callback?: (error?: unknown) => void): void;
    loadInfobip(): void;
    startInfobip(key: string): Promise<Outcome>;
    infobipSession: LiveChatSessionSource;
  }
}

/** Starts the tracker of a page, whose widget loads while `init()` waits for it. */
const start = async (page: Page): Promise<void> => {
  await page.waitForFunction(() => "startInfobip" in window);
  const outcome = await page.evaluate((key) => {
    const started = window.startInfobip(key);
    window.loadInfobip();
    return started;
  }, setting.site.trackingKey);
  expect(outcome).toEqual({ success: true, data: null });
};
const visit = async (): Promise<Page> => {
  const page = await openTab(setting.browser, setting.site);
  await start(page);
  return page;
};
const reload = async (page: Page): Promise<void> => {
  await page.reload();
  await start(page);
};
const signIn = async (page: Page, email: string): Promise<void> =>
  page.evaluate((jwt) => window.liveChat("auth", jwt), await setting.site.jwt(email));
const personOf = async (page: Page): Promise<string> => (await stateOf(page))?.profile?.id ?? "";
/**
 * The kinds of Live Chat requests that reached the service, but for those that only ask whether the session goes on. One may
 * be made twice: a tab that gets the lock may not see yet what the tab before it has written to localStorage.
 */
const exchanges = (): string[] => [
  ...new Set(
    setting.site.requests
      .filter(({ method, path }) => path.includes("/live-chat/") && method !== "GET")
      .map(({ method, path }) => `${method} ${path.replace("/people/v1/live-chat/sessions", "")}`),
  ),
];

describe("a site with Infobip Live Chat", () => {
  test("has one lead for a chat that both tabs report, who is there after a reload", async () => {
    const [tab, other] = [await visit(), await visit()];
    await track(tab, "before chat");
    await Promise.all(
      [tab, other].map((page) => page.evaluate(() => window.infobipSession.sessionStarted())),
    );
    await Promise.all([profileIs(tab, "lead"), profileIs(other, "lead")]);
    const lead = await personOf(tab);
    expect(await personOf(other)).toBe(lead);

    await reload(tab);
    expect((await stateOf(tab))?.profile).toEqual({ kind: "lead", id: lead });
    await settle(tab);
    const names = (await setting.site.timeline(lead)).map(({ definitionId }) => definitionId);
    expect(names).toEqual(["sessionStarted", "pageView", "pageView", "action", "pageView"]);
    expect(exchanges()).toContain("POST ");
  });

  test("has the user in both tabs, whose page loads each sign in anew, until one signs out", async () => {
    const [tab, other] = [await visit(), await visit()];
    await Promise.all([signIn(tab, "ann@example.com"), signIn(other, "ann@example.com")]);
    await Promise.all([profileIs(tab, "authenticated"), profileIs(other, "authenticated")]);
    const user = await personOf(tab);
    expect(await personOf(other)).toBe(user);

    await reload(other);
    await signIn(other, "ann@example.com");
    expect((await stateOf(other))?.profile).toEqual({ kind: "authenticated", id: user });
    await other.evaluate(() => window.infobipSession.signedOut());
    await Promise.all([profileIs(tab, "visitor"), profileIs(other, "visitor")]);
    await expect.poll(exchanges).toEqual(["POST /authenticate", "DELETE /current"]);
  });

  test("has the chat of a visitor whose service was away once it is back", async () => {
    const tab = await visit();
    setting.site.setReachable(false);
    await tab.evaluate(() => window.infobipSession.sessionStarted());
    await reload(tab);
    expect((await stateOf(tab))?.profile?.kind).toBe("visitor");
    setting.site.setReachable(true);
    await profileIs(tab, "lead");
  });

  test("whose widget never loads answers 4001, and tracks once it has loaded", async () => {
    const page = await openTab(setting.browser, setting.site);
    await page.waitForFunction(() => "startInfobip" in window);
    const outcome = await page.evaluate((key) => window.startInfobip(key), setting.site.trackingKey);
    expect(outcome).toMatchObject({ success: false, error: { code: 4001 } });
    await start(page);
  });
});
