/** Workers killed again and again, each in the midst of calls; `npm run test:soak` kills hundreds. */
import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import { lossesOf } from "./support/arrivals.js";
import { useSetting } from "./support/setting.js";
import { useTally } from "./support/tally.js";
import { init, openTab, settle, stateOf, visit } from "./support/visit.js";
import { killSharedWorkers } from "./support/workers.js";

declare global {
  interface Window {
    isEnough: boolean;
  }
}

const setting = useSetting();
const tally = useTally("worker deaths");

const TABS = 10;
const DEATHS_A_TAB = Math.ceil(Number(process.env["WORKER_DEATHS"] ?? 40) / TABS);
const DEATHS = TABS * DEATHS_A_TAB;
/** More than one tab makes. */
const A_TAB = 1_000_000;
/** A page that gets no answer waits for longer than this before it takes the worker for dead. */
const PATIENCE_MS = 2_500;

/** Calls without end, so that at least one finds a dead worker; until it is told that it is enough. */
const callOn = (tab: Page, from: number) =>
  tab.evaluate(async (first) => {
    const told = { next: first, failed: [] as number[], longestMs: 0 };
    window.isEnough = false;
    while (!window.isEnough) {
      const calledAt = performance.now();
      const numbers = [told.next++, told.next++, told.next++];
      const outcomes = await Promise.all(numbers.map((n) => window.sdk.track("numbered", { n })));
      told.failed.push(...numbers.filter((_, index) => !outcomes[index]?.success));
      told.longestMs = Math.max(told.longestMs, performance.now() - calledAt);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return told;
  }, from);

/** A busy machine may not start a worker in time: the tab then goes on with another kind of host. */
const isShared = async (tab: Page): Promise<boolean> => (await stateOf(tab))?.host === "shared";

describe("workers that die", () => {
  test(
    `${DEATHS} workers die with calls under way: each call is answered, and what was stored arrives once`,
    { timeout: 60_000 + 10_000 * DEATHS_A_TAB },
    async () => {
      const { browser, site } = setting;
      const chat = await openTab(browser, site);
      await chat.evaluate(() => window.widget.startChat());
      // A worker of its own for each: dead ones are waited for side by side.
      const tabs: { tab: Page; namespace: string }[] = [];
      while (tabs.length < TABS) {
        const namespace = `tab-${tabs.length}.`;
        tabs.push({ tab: await visit(browser, site, { namespace }), namespace });
      }

      const stored = new Set<number>();
      const tortured = tabs.map(async ({ tab, namespace }, index) => {
        let next = index * A_TAB;
        for (let deaths = 0; deaths < DEATHS_A_TAB;) {
          if (!(await isShared(tab))) {
            await tab.reload();
            await tab.waitForFunction(() => window.loaded);
            await init(tab, site.trackingKey, { namespace });
          }
          const calling = callOn(tab, next);
          calling.catch(() => {}); // it is awaited below, unless something fails before
          let killed = 0;
          const isOver = async () =>
            (killed = await killSharedWorkers(tab, `:${namespace}:`)) > 0 || !(await isShared(tab));
          await expect.poll(isOver, { timeout: 60_000 }).toBe(true);
          await tab.evaluate(() => (window.isEnough = true));
          const told = await calling;
          if (killed > 0 && told.longestMs > PATIENCE_MS) deaths++;
          for (let n = next; n < told.next; n++) if (!told.failed.includes(n)) stored.add(n);
          tally.count("calls told as failed", told.failed.length);
          next = told.next;
        }
        await settle(tab);
        expect(await stateOf(tab)).toMatchObject({ storage: "disk", outbox: { waiting: 0, rejected: 0 } });
      });
      await Promise.all(tortured);
      tally.count("workers killed with calls under way", DEATHS);
      expect(stored.size).toBeGreaterThan(DEATHS);

      const losses = lossesOf(site, await site.timelines(), stored, (n) => Math.floor(n / A_TAB));
      tally.add(site, stored.size, losses);
      expect(losses).toEqual({ lost: [], doubled: [], outOfOrder: [] });
    },
  );
});
