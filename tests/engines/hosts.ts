/** The other hosts, chosen or fallen back to. */
import { describe, expect, test } from "vitest";
import type { Setting } from "./support/setting.js";
import {
  awaitBackOff,
  init,
  numbersOnService,
  openTab,
  profileIs,
  settle,
  startChat,
  stateOf,
  trackNumbers,
  visit,
} from "./support/visit.js";

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

export const hosts = (setting: Setting): void => {
  describe("hosts", () => {
    for (const host of ["dedicated", "page"] as const) {
      test(`a host of the kind "${host}" tracks, and delivers what another tab left`, async () => {
        const { browser, site } = setting;
        const tab = await visit(browser, site, { host });
        expect((await stateOf(tab))?.host).toBe(host);
        await settle(tab);
        site.setReachable(false);
        expect(await trackNumbers(tab, 0, 60)).toBe(60);
        await awaitBackOff(tab);
        await tab.close();
        site.setReachable(true);
        const next = await visit(browser, site, { host });
        expect(await trackNumbers(next, 60, 60)).toBe(60);
        expect(await numbersOnService(next, site)).toEqual(upTo(120));
      });
    }

    test("a refused worker script leads to the page's own host, which state.host shows", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site, { workerUrl: "/sdk/missing.js" });
      expect((await stateOf(tab))?.host).toBe("page");
      expect(await trackNumbers(tab, 0, 10)).toBe(10);
      expect(await numbersOnService(tab, site)).toEqual(upTo(10));
    });

    test("hosts of every kind race on one store: one session, each operation once and in order", async () => {
      const { browser, site } = setting;
      const kinds = ["shared", "dedicated", "page"] as const;
      const tabs = await Promise.all(
        kinds.map(async (host) => ({ host, tab: await openTab(browser, site) })),
      );
      await Promise.all(tabs.map(({ host, tab }) => init(tab, site, { host })));
      const states = await Promise.all(tabs.map(({ tab }) => stateOf(tab)));
      expect(states.map((state) => state?.host)).toEqual(kinds);
      const stored = await Promise.all(tabs.map(({ tab }, index) => trackNumbers(tab, index * 1000, 100)));
      expect(stored).toEqual([100, 100, 100]);

      const [{ tab }] = tabs as [(typeof tabs)[0]];
      const lead = await startChat(tab);
      await Promise.all(tabs.map((each) => profileIs(each.tab, "lead")));
      await settle(tab);
      const timeline = await site.timeline(lead);
      const count = (id: string) => timeline.filter(({ definitionId }) => definitionId === id).length;
      expect([count("sessionStarted"), count("sessionEnded"), count("pageView")]).toEqual([1, 0, 3]);
      expect(new Set(timeline.map(({ sessionId }) => sessionId)).size).toBe(1);
      expect(count("numbered")).toBe(300);
      const accepted = site.requests.flatMap(({ operations, status }) => (status === 200 ? operations : []));
      const numbers = accepted.flatMap((op) =>
        op.type === "event" && op.definitionId === "numbered" ? Number(op.properties?.["n"]) : [],
      );
      for (const [index] of kinds.entries()) {
        const own = numbers.filter((n) => Math.floor(n / 1000) === index);
        expect(own).toEqual(upTo(100).map((n) => index * 1000 + n));
      }
    });
  });
};
