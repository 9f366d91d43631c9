/** Clocks that are set, machines that sleep, tabs that freeze. */
import { describe, expect, test } from "vitest";
import type { TimelineEntry } from "../../server/src/index.js";
import { numbersAccepted, numbersOf, timelineArrived, upTo } from "./support/arrivals.js";
import { freeze, setClock, travel } from "./support/clock.js";
import { useSetting } from "./support/setting.js";
import {
  init,
  openTab,
  profileIs,
  settle,
  stateOf,
  stateWithSession,
  track,
  trackNumbers,
  visit,
} from "./support/visit.js";

const setting = useSetting();

const SECOND = 1000;
const HOUR = 60 * 60 * SECOND;
const YEAR = 365 * 24 * HOUR;
const KINDS = ["shared", "dedicated", "page"] as const;

describe("clocks and sleep", () => {
  test.each(KINDS)("a clock set years ahead and back again loses and doubles nothing (%s)", async (host) => {
    const { browser, site } = setting;
    const tab = await visit(browser, site, { host });
    for (const [index, offset] of [0, 3 * YEAR, 0, -3 * YEAR, 0, -5 * HOUR, 5 * HOUR].entries()) {
      await setClock(tab, offset);
      expect(await trackNumbers(tab, index * 10, 5)).toBe(5);
      await settle(tab);
      // What was called just before the host forgot the time ahead may belong to the visitor and session of before.
      expect(await trackNumbers(tab, index * 10 + 5, 5)).toBe(5);
      // The session is one of this time: it began, and ends, around what the clock shows now.
      await tab.waitForFunction((longest) => {
        const session = window.sdk.state?.session;
        if (!session) return false;
        const left = Date.parse(session.expiresAt) - Date.now();
        return Date.parse(session.startedAt) <= Date.now() && left > 0 && left <= longest;
      }, HOUR / 2);
      await settle(tab);
    }
    expect(numbersAccepted(site)).toEqual(upTo(70));
    expect(await stateOf(tab)).toMatchObject({ outbox: { waiting: 0, rejected: 0 } });
  });

  test("a machine that slept for a day ends the session at its due time", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    const lead = await tab.evaluate(() => window.widget.startChat());
    await profileIs(tab, "lead");
    await track(tab, "before");
    await settle(tab);
    const session = (await stateOf(tab))?.session;
    await setClock(tab, 24 * HOUR);
    // It wakes: browsers say so by nothing but the page that is seen again.
    await tab.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await tab.waitForFunction(() => window.sdk.state?.session === null);
    await track(tab, "after");
    await settle(tab);
    const ends = site.requests
      .filter(({ status }) => status === 200)
      .flatMap(({ operations }) => operations)
      .filter(({ id }) => id.startsWith("e-"));
    expect(ends.map(({ id, occurredAt }) => [id, occurredAt])).toEqual([
      [`e-${session?.id}`, session?.expiresAt],
    ]);
    const timeline = await site.timeline(lead);
    expect(timeline.filter(({ definitionId }) => definitionId === "sessionStarted")).toHaveLength(2);
  });

  test("a Retry-After of a clock that was set back a year has passed", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site);
    await settle(tab);
    site.intercept(() => ({ status: 429, headers: { "Retry-After": "600" }, body: "{}" }));
    expect(await trackNumbers(tab, 0, 1)).toBe(1);
    await tab.waitForFunction(() => window.sdk.state?.delivery.status === "retrying");
    site.intercept(null);
    await setClock(tab, -YEAR);
    expect(await trackNumbers(tab, 1, 4)).toBe(4);
    await settle(tab);
    expect(new Set(numbersAccepted(site))).toEqual(new Set(upTo(5)));
  });

  test("a lease of a clock that was set back is taken over by another host", async () => {
    const { browser, site } = setting;
    const tab = await visit(browser, site, { host: "dedicated" });
    await settle(tab);
    await setClock(tab, YEAR);
    site.setReachable(false);
    expect(await trackNumbers(tab, 0, 5)).toBe(5);
    await tab.close();
    site.setReachable(true);
    const next = await visit(browser, site, { host: "dedicated" });
    expect(await trackNumbers(next, 5, 5)).toBe(5);
    await settle(next);
    expect(new Set(numbersAccepted(site))).toEqual(new Set(upTo(10)));
  });

  test("a tab that was frozen goes on in the session of the others, and what it holds is stored", async () => {
    const { browser, site } = setting;
    const frozen = await visit(browser, site, { host: "page" });
    const other = await visit(browser, site);
    const before = (await stateWithSession(other))?.session?.id;
    const tab = await freeze(frozen);
    expect(await trackNumbers(other, 0, 20)).toBe(20);
    await settle(other);
    await tab.resume();
    expect(await trackNumbers(frozen, 20, 20)).toBe(20);
    await settle(frozen);
    expect((await stateOf(frozen))?.session?.id).toBe(before);
    expect(await stateOf(frozen)).toMatchObject({ storage: "disk", outbox: { waiting: 0 } });
    expect(numbersAccepted(site)).toEqual(upTo(40));
  });

  test.each(KINDS)(
    "the service gets instants, whatever the zone of a tab and its changes (%s)",
    async (host) => {
      const { browser, site } = setting;
      const tab = await visit(browser, site, { host });
      const elsewhere = await visit(browser, site, { host });
      const lead = await tab.evaluate(() => window.widget.startChat());
      await Promise.all([tab, elsewhere].map((each) => profileIs(each, "lead")));
      const traveller = await travel(tab);
      const calls: { name: string; from: number; to: number }[] = [];
      for (const zone of ["Pacific/Kiritimati", "Pacific/Niue", "Australia/Eucla"]) {
        await traveller.to(zone);
        expect(await traveller.zones()).toContain(zone);
        for (const [each, name] of [
          [tab, zone],
          [elsewhere, `not ${zone}`],
        ] as const) {
          const from = Date.now();
          expect(await track(each, name)).toMatchObject({ success: true });
          calls.push({ name, from, to: Date.now() });
        }
      }
      await settle(tab);
      const timeline = await site.timeline(lead);
      const actions = timeline.filter(({ definitionId }) => definitionId === "action");
      expect(actions.map(({ properties }) => properties?.["name"])).toEqual(calls.map(({ name }) => name));
      for (const [index, { from, to }] of calls.entries()) {
        const { occurredAt, givenAt } = actions[index] as TimelineEntry;
        expect(givenAt).toBe(occurredAt);
        expect(Date.parse(occurredAt)).toBeGreaterThanOrEqual(from);
        expect(Date.parse(occurredAt)).toBeLessThanOrEqual(to);
      }
      expect(timeline.filter(({ definitionId }) => definitionId === "sessionStarted")).toHaveLength(1);
    },
  );

  test.each([5 * HOUR, -5 * HOUR])(
    "a clock that was wrong from the start (by %i ms): the service shows when it really was",
    async (offset) => {
      const { browser, site } = setting;
      const tab = await openTab(browser, site);
      await setClock(tab, offset);
      const from = Date.now();
      // The page's own host: a worker's clock could be set only after it has begun.
      expect(await init(tab, site.trackingKey, { host: "page" })).toMatchObject({ success: true });
      expect(await trackNumbers(tab, 0, 10)).toBe(10);
      const to = Date.now();
      const timeline = await timelineArrived(site, tab);
      expect(numbersOf(timeline)).toEqual(upTo(10));
      for (const { occurredAt, givenAt } of timeline) {
        // Between what a page reads and what is sent, some milliseconds pass that look like skew.
        expect(Date.parse(occurredAt)).toBeGreaterThanOrEqual(from - SECOND);
        expect(Date.parse(occurredAt)).toBeLessThanOrEqual(to + SECOND);
        expect(Date.parse(givenAt)).toBeGreaterThanOrEqual(from + offset);
        expect(Date.parse(givenAt)).toBeLessThanOrEqual(to + offset);
      }
    },
  );
});
