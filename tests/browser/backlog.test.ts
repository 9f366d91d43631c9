/**
 * Thousands of operations wait in a browser that is killed: all arrive, and what is called meanwhile is stored.
 * `npm run test:soak` has a hundred thousand of them.
 */
import type { Page } from "playwright";
import { describe, expect, test } from "vitest";
import { lossesOf, numbersOf, upTo } from "./support/arrivals.js";
import { useSetting } from "./support/setting.js";
import { rowsOnDisk } from "./support/storage.js";
import { useTally } from "./support/tally.js";
import { profileIs, settle, stateOf, trackNumbers, visit } from "./support/visit.js";

const setting = useSetting();
const tally = useTally("backlog");

const TABS = 4;
const AT_ONCE = 1000;
const A_TAB = AT_ONCE * Math.ceil(Number(process.env["BACKLOG"] ?? 20_000) / TABS / AT_ONCE);
const ALL = TABS * A_TAB;
/** Without it, the hundred thousandth would be refused. */
const OPTIONS = { maxWaiting: 2 * ALL };
const MINUTES = 60_000;

const stopwatch = () => {
  const parts: string[] = [];
  let since = performance.now();
  return {
    lap(part: string): void {
      const now = performance.now();
      parts.push(`${part} ${((now - since) / 1000).toFixed(1)} s`);
      since = now;
    },
    told: () => parts.join(", "),
  };
};

/** Sends without waiting for a time to try again; answers what is left. */
const drain = (tab: Page) => tab.evaluate(() => window.sdk.flush({ timeoutMs: 400_000 }));

describe("a backlog", () => {
  test(
    `${ALL.toLocaleString("en")} operations outlive the browser's violent end and arrive once, in the order of each tab`,
    { timeout: 8 * MINUTES },
    async () => {
      const { person, browser, site } = setting;
      const watch = stopwatch();
      const first = await visit(browser, site, OPTIONS);
      await first.evaluate(() => window.widget.startChat());
      await profileIs(first, "lead");
      await settle(first);
      const lead = (await stateOf(first))?.profile?.id as string;
      const tabs = [first];
      while (tabs.length < TABS) tabs.push(await visit(browser, site, OPTIONS));
      await settle(first);
      site.setReachable(false);
      watch.lap("set up");

      const stored = await Promise.all(
        tabs.map(async (tab, index) => {
          let count = 0;
          for (let n = 0; n < A_TAB; n += AT_ONCE)
            count += await trackNumbers(tab, index * A_TAB + n, AT_ONCE);
          return count;
        }),
      );
      expect(stored).toEqual(tabs.map(() => A_TAB));
      watch.lap("stored");

      await person.kill(browser);
      const again = await person.browse();
      const tab = await visit(again, site, OPTIONS);
      const andPageView = ALL + 1;
      await tab.waitForFunction((count) => window.sdk.state?.outbox.waiting === count, andPageView);
      expect(await rowsOnDisk(tab)).toBe(andPageView);
      watch.lap("killed and restarted");

      // Another tab is open before it drains: a small backlog could be gone before one has opened.
      const late = await visit(again, site, OPTIONS);
      // Some of it drains; then the service is gone once more, so that what is shown can be compared with what there is.
      site.setReachable(true);
      const drained = drain(tab);
      drained.catch(() => {}); // it is awaited below, unless something fails before
      const patience = { timeout: 2 * MINUTES };
      await tab.waitForFunction((left) => window.sdk.state!.outbox.waiting < left, 0.8 * ALL, patience);
      expect(await late.evaluate(() => window.sdk.state?.delivery.status)).toBe("sending");
      const { failures, longestMs } = await late.evaluate(async (from) => {
        const told = { failures: [] as string[], longestMs: 0 };
        for (let n = from; n < from + 10; n++) {
          const calledAt = performance.now();
          const outcome = await window.sdk.track("numbered", { n });
          if (!outcome.success) told.failures.push(outcome.error.message);
          told.longestMs = Math.max(told.longestMs, performance.now() - calledAt);
        }
        return told;
      }, ALL);
      expect(failures).toEqual([]);
      expect((await stateOf(late))?.outbox.waiting).toBeGreaterThan(10);
      watch.lap("a fifth drained, and ten calls of another tab");
      site.setReachable(false);
      await tab.waitForFunction(() => window.sdk.state?.delivery.status === "retrying");
      const left = await rowsOnDisk(tab);
      for (const each of [tab, late]) {
        await each.waitForFunction((rows) => window.sdk.state?.outbox.waiting === rows, left);
      }
      expect(left).toBeGreaterThan(10);
      site.setReachable(true);
      void late.evaluate(() => dispatchEvent(new Event("online")));
      expect(await drained).toEqual({ success: true, data: { waiting: 0 } });
      await settle(late);
      watch.lap("drained");

      expect(numbersOf(await site.timeline(lead)).filter((n) => n < ALL)).toHaveLength(ALL);
      // A browser that is killed may not have written down its chat yet: the late calls are then those of a visitor, whose
      // timeline can be read once there is another.
      const reader = await late.evaluate(() => window.widget.startChat());
      await late.waitForFunction((id) => window.sdk.state?.profile?.id === id, reader);
      await settle(late);
      const timelines = await site.timelines();
      expect(numbersOf(timelines.flat())).toHaveLength(ALL + 10);
      const callerOf = (n: number) => Math.floor(n / A_TAB);
      const losses = lossesOf(site, timelines, new Set(upTo(ALL + 10)), callerOf);
      tally.add(site, ALL + 10, losses);
      expect(losses).toEqual({ lost: [], doubled: [], outOfOrder: [] });
      for (const each of [tab, late]) {
        expect(await stateOf(each)).toMatchObject({ outbox: { waiting: 0, rejected: 0 } });
        expect(await rowsOnDisk(each)).toBe(0);
      }
      watch.lap("compared");
      console.log(`backlog: ${watch.told()}; longest call meanwhile ${Math.round(longestMs)} ms`);
    },
  );
});
