/**
 * Random days of a browser, by a seed: tabs that open, close, reload and crash, a worker and a browser that are killed, a
 * way to the service that fails in every manner, and a person who chats, signs in and out. In the end the service's
 * database must hold each stored event once and in order. The seeds are the same on every run; `npm run test:soak` draws new
 * ones, and a day that failed is lived again with `CHAOS_SEED=<seed>` before the command (several: with commas between them).
 */
import type { BrowserContext, Page } from "playwright";
import { describe, expect, test } from "vitest";
import { pick, seededRandom } from "../support/random.js";
import { lossesOf } from "./support/arrivals.js";
import { followState, whereabouts } from "./support/diary.js";
import { FAULT_NAMES } from "./support/fault-proxy.js";
import { useSetting } from "./support/setting.js";
import { useTally } from "./support/tally.js";
import { init, openTab, profileIs, settle } from "./support/visit.js";
import { killSharedWorkers } from "./support/workers.js";

const setting = useSetting({ isServiceFresh: true });
const tally = useTally("random days");

const STEPS = 40;
/** So many of the requests come to grief. */
const SPOILT = 0.4;
/** What is counted beside the faults of the way. */
const VIOLENCE = new Set(["crash", "killWorker", "killBrowser", "trackAndClose", "close", "reload"]);
const SEEDS = process.env["CHAOS_SEED"]?.split(",").map(Number) ?? [7, 42];

const chaos = async (seed: number) => {
  const { site, person } = setting;
  const secure = await site.listenSecurely();
  const options = { endpoint: `${secure.origin}/people` };
  const random = seededRandom(seed);
  const stored = new Set<number>();
  const log: string[] = [];
  // Of its own chance, for how many requests there are depends on the machine.
  const fate = seededRandom(seed + 1);
  site.intercept(({ path }) =>
    path.includes("live-chat") || fate() > SPOILT ? undefined : pick(fate, FAULT_NAMES),
  );
  let browser: BrowserContext = setting.browser;
  let tabs: Page[] = [];
  let next = 0;
  let begun = 0;

  /** A step on a page that may die under it. */
  const attempt = <Result>(work: Promise<Result>): Promise<Result | undefined> => work.catch(() => undefined);
  const begin = async (tab: Page): Promise<void> => {
    await init(tab, site.trackingKey, options);
    await followState(tab, `tab ${++begun}`, (line) => log.push(line));
  };
  const open = async (): Promise<void> => {
    const tab = await openTab(browser, site);
    await begin(tab);
    tabs.push(tab);
  };
  const forget = (tab: Page): void => void (tabs = tabs.filter((other) => other !== tab));

  const steps: Record<string, (tab: Page) => Promise<void>> = {
    open,
    async track(tab) {
      const from = next;
      next += 20;
      const accepted = await attempt(
        tab.evaluate(async (first) => {
          const calls = Array.from({ length: 20 }, async (_, index) => {
            const { success } = await window.sdk.track("numbered", { n: first + index });
            return success ? [first + index] : [];
          });
          const stored = (await Promise.all(calls)).flat();
          // What is in memory, and said to be, does not outlive its host.
          return window.sdk.state?.storage === "disk" ? stored : [];
        }, from),
      );
      for (const n of accepted ?? []) stored.add(n);
    },
    async trackAndClose(tab) {
      const from = next;
      next += 20;
      forget(tab);
      await attempt(
        tab.evaluate((first) => {
          for (let n = first; n < first + 20; n++) void window.sdk.track("numbered", { n });
        }, from),
      );
      await tab.close();
    },
    async close(tab) {
      forget(tab);
      await tab.close();
    },
    async reload(tab) {
      await tab.reload();
      await tab.waitForFunction(() => window.loaded);
      await begin(tab);
    },
    async crash(tab) {
      forget(tab);
      const crashed = tab.waitForEvent("crash");
      void attempt(tab.goto("chrome://crash"));
      await crashed;
      await tab.close();
    },
    async killWorker(tab) {
      await killSharedWorkers(tab);
    },
    async killBrowser() {
      await person.kill(browser);
      tabs = [];
      browser = await person.browse();
    },
    async flush(tab) {
      await attempt(tab.evaluate(() => window.sdk.flush({ timeoutMs: 1000 })));
    },
    async distrust() {
      secure.setTrusted(false);
    },
    async unreachable() {
      site.setReachable(false);
    },
    async heal() {
      secure.setTrusted(true);
      site.setReachable(true);
    },
    async chat(tab) {
      await attempt(tab.evaluate(() => window.widget.startChat()));
    },
    async signIn(tab) {
      const jwt = await site.jwt(`${pick(random, ["ann", "bob"])}@example.com`);
      await attempt(tab.evaluate((token) => window.widget.authenticate(token), jwt));
    },
    async signOut(tab) {
      await attempt(tab.evaluate(() => window.widget.signOut()));
    },
  };
  const weighted = [
    ...Object.keys(steps),
    "track",
    "track",
    "track",
    "track",
    "open",
    "flush",
    "flush",
    "flush",
    "heal",
    "heal",
    "heal",
    "trackAndClose",
  ];

  for (let step = 0; step < STEPS; step++) {
    if (tabs.length === 0) await open();
    const name = tabs.length > 4 ? "close" : pick(random, weighted);
    log.push(`${step} ${name}, after ${site.requests.length} requests, from number ${next}`);
    if (VIOLENCE.has(name)) tally.count(name);
    await steps[name]?.(pick(random, tabs));
  }

  // Everything heals, and whoever is still a visitor becomes a lead, whose timeline can be read.
  site.intercept(null);
  await steps["heal"]?.(tabs[0] as Page);
  tally.count("wrong certificate", secure.refused);
  if (tabs.length === 0) await open();
  const [tab] = tabs as [Page];
  await attempt(tab.evaluate(() => window.widget.signOut()));
  await tab.waitForFunction(() => window.sdk.state?.profile);
  const lead = await tab.evaluate(() => window.widget.startChat());
  await profileIs(tab, "lead");
  await tab.waitForFunction((id) => window.sdk.state?.profile?.id === id, lead);
  // A disk that was slow to answer may still hold what memory knows nothing of.
  await tab.waitForFunction(() => window.sdk.state?.storage === "disk");
  await settle(tab);
  const rejected = await tab.evaluate(() => window.sdk.inspect({ state: "rejected" }));
  return { stored, rejected, log, timelines: await site.timelines() };
};

describe("random days of faults", () => {
  test.for(SEEDS)(
    "whatever happens, each stored event arrives once and in order (CHAOS_SEED=%i)",
    async (seed) => {
      const { stored, rejected, log, timelines } = await chaos(seed);
      const losses = lossesOf(setting.site, timelines, stored);
      const seen = whereabouts(setting.site, Object.values(losses).flat());
      const story = [`seed ${seed}`, ...log, ...seen].join("\n");
      expect(rejected, story).toEqual({ success: true, data: [] });
      tally.add(setting.site, stored.size, losses);
      expect(losses, story).toEqual({ lost: [], doubled: [], outOfOrder: [] });

      // A session's start and end stand once, and all of it with one person.
      const entries = timelines.flat();
      const marks = (name: string) =>
        entries.filter(({ definitionId }) => definitionId === name).map(({ sessionId }) => sessionId);
      const sessions = timelines.map((timeline) => new Set(timeline.map(({ sessionId }) => sessionId)));
      const sessionIds = sessions.flatMap((ids) => [...ids]);
      expect(new Set(sessionIds).size, `a session of two persons; ${story}`).toBe(sessionIds.length);
      expect(marks("sessionStarted").toSorted(), story).toEqual(sessionIds.toSorted());
      expect(new Set(marks("sessionEnded")).size, story).toBe(marks("sessionEnded").length);
    },
  );
});
