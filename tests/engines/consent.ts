/** Opting out, and erasing. */
import { describe, expect, test } from "vitest";
import type { Setting } from "./support/setting.js";
import { profileIs, settle, startChat, stateOf, track, visit } from "./support/visit.js";

const STORED = { success: true, data: null };
const REFUSED = { success: false, error: { code: 2016 } };

export const consent = (setting: Setting): void => {
  describe("consent", () => {
    test("an opt-out holds in all tabs, until the opt-in", async () => {
      const { browser, site } = setting;
      const [tab, other] = [await visit(browser, site), await visit(browser, site)];
      expect(await tab.run(() => window.sdk.optOut())).toEqual(STORED);
      expect(await track(tab, "opted out")).toMatchObject(REFUSED);
      expect(await track(other, "opted out")).toMatchObject(REFUSED);
      expect(await other.run(() => window.sdk.optIn())).toEqual(STORED);
      expect(await track(tab, "opted in")).toEqual(STORED);
      await settle(tab);
    });

    test("erasing leaves nothing in this browser, and tracking goes on with a new visitor", async () => {
      const { browser, site } = setting;
      const [tab, other] = [await visit(browser, site), await visit(browser, site)];
      const lead = await startChat(tab);
      await profileIs(other, "lead");
      await settle(tab);
      site.setReachable(false);
      await track(other, "to be erased");
      expect(await tab.run(() => window.sdk.eraseLocalData())).toEqual(STORED);
      expect(await stateOf(tab)).toMatchObject({ session: null, outbox: { waiting: 0, rejected: 0 } });
      await Promise.all([profileIs(tab, "visitor"), profileIs(other, "visitor")]);
      expect(await track(other, "after")).toEqual(STORED);
      site.setReachable(true);
      await settle(tab);
      const told = (await site.timeline(lead)).map(({ properties }) => properties?.["name"]);
      expect(told).not.toContain("to be erased");
      expect(told).not.toContain("after");
    });
  });
};

export const lastingConsent = (setting: Setting): void => {
  describe("consent after the browser's violent end", () => {
    test("an opt-out outlives the browser's violent end", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      expect(await tab.run(() => window.sdk.optOut())).toEqual(STORED);
      await setting.restart();
      const next = await visit(browser, site);
      expect((await stateOf(next))?.optedOut).toBe(true);
      expect(await track(next, "opted out")).toMatchObject(REFUSED);
      expect(await next.run(() => window.sdk.optIn())).toEqual(STORED);
      expect(await track(next, "opted in")).toEqual(STORED);
      await settle(next);
    });
  });
};
