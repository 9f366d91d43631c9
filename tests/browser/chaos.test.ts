/**
 * Random days of a browser, by a seed: tabs that open, close, reload and crash, a worker and a browser that are killed,
 * a service that lies, and a person who chats, signs in and out. In the end the service must hold each stored event once.
 */
import { execFileSync } from "node:child_process";
import type { BrowserContext, Page } from "playwright";
import { expect, test } from "vitest";
import { pick, seededRandom } from "../support/random.js";
import type { Answer, Interceptor } from "./support/site.js";
import { useSetting } from "./support/setting.js";
import { init, openTab, profileIs, settle } from "./support/visit.js";

const setting = useSetting();

const STEPS = 30;

/** What a network and a service can answer instead of the truth. */
const LIES: Record<string, Answer> = {
  unavailable: { status: 503, body: "" },
  throttled: { status: 429, headers: { "Retry-After": "1" }, body: "{}" },
  timedOut: { status: 408, body: "" },
  portal: { status: 200, headers: { "Content-Type": "text/html" }, body: "<title>Wi-Fi</title>" },
  half: { status: 200, body: '{"results":[{"id":' },
  cut: "cut",
};

const chaos = async (seed: number) => {
  const { site, person } = setting;
  const random = seededRandom(seed);
  const stored = new Set<number>();
  const log: string[] = [];
  let browser: BrowserContext = setting.browser;
  let tabs: Page[] = [];
  let next = 0;

  /** A step on a page that may die under it. */
  const attempt = <Result>(work: Promise<Result>): Promise<Result | undefined> => work.catch(() => undefined);
  const open = async (): Promise<void> => {
    const tab = await openTab(browser, site);
    await init(tab, site.trackingKey);
    tabs.push(tab);
  };
  const leave = (tab: Page): void => void (tabs = tabs.filter((other) => other !== tab));

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
          return (await Promise.all(calls)).flat();
        }, from),
      );
      for (const n of accepted ?? []) stored.add(n);
    },
    async trackAndClose(tab) {
      const from = next;
      next += 20;
      leave(tab);
      await attempt(
        tab.evaluate((first) => {
          for (let n = first; n < first + 20; n++) void window.sdk.track("numbered", { n });
        }, from),
      );
      await tab.close();
    },
    async close(tab) {
      leave(tab);
      await tab.close();
    },
    async reload(tab) {
      await tab.reload();
      await tab.waitForFunction(() => window.loaded);
      await init(tab, site.trackingKey);
    },
    async crash(tab) {
      leave(tab);
      const crashed = tab.waitForEvent("crash");
      void attempt(tab.goto("chrome://crash"));
      await crashed;
      await tab.close();
    },
    async killWorker(tab) {
      const session = await browser.newCDPSession(tab);
      const { targetInfos } = await session.send("Target.getTargets");
      const workers = targetInfos.filter(({ type }) => type === "shared_worker");
      for (const { targetId } of workers) await attempt(session.send("Target.closeTarget", { targetId }));
      await session.detach();
    },
    async killBrowser() {
      const closed = browser.waitForEvent("close");
      execFileSync("pkill", ["-9", "-f", `user-data-dir=${person.profile}`]);
      await closed;
      tabs = [];
      browser = await person.browse();
    },
    async lie() {
      const name = pick(random, Object.keys(LIES));
      let left = 1 + Math.floor(random() * 4);
      const interceptor: Interceptor = ({ path }) =>
        path.includes("live-chat") || left-- <= 0 ? undefined : LIES[name];
      site.intercept(interceptor);
      log.push(name);
    },
    async unreachable() {
      site.setReachable(false);
    },
    async reachable() {
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
    "reachable",
    "trackAndClose",
  ];

  for (let step = 0; step < STEPS; step++) {
    if (tabs.length === 0) await open();
    const name = tabs.length > 4 ? "close" : pick(random, weighted);
    log.push(name);
    await steps[name]?.(pick(random, tabs));
  }

  // Everything heals, and whoever is still a visitor becomes a lead, whose timeline can be read.
  site.intercept(null);
  site.setReachable(true);
  if (tabs.length === 0) await open();
  const [tab] = tabs as [Page];
  await attempt(tab.evaluate(() => window.widget.signOut()));
  await tab.waitForFunction(() => window.sdk.state?.profile);
  const lead = await tab.evaluate(() => window.widget.startChat());
  await profileIs(tab, "lead");
  await tab.waitForFunction((id) => window.sdk.state?.profile?.id === id, lead);
  await settle(tab);
  const rejected = await tab.evaluate(() => window.sdk.inspect({ state: "rejected" }));
  return { stored, rejected, log, timelines: await site.timelines() };
};

test.for([7, 42])("whatever happens, each stored event arrives once (seed %i)", async (seed) => {
  const { stored, rejected, log, timelines } = await chaos(seed);
  const story = `seed ${seed}: ${log.join(" ")}`;
  expect(rejected, story).toEqual({ success: true, data: [] });

  const entries = timelines.flat();
  const numbers = entries
    .filter(({ definitionId }) => definitionId === "numbered")
    .map(({ properties }) => Number(properties?.["n"]));
  expect(new Set(numbers).size, `doubled; ${story}`).toBe(numbers.length);
  expect(
    [...stored].filter((n) => !numbers.includes(n)),
    `lost; ${story}`,
  ).toEqual([]);

  // A session's start and end stand once, and all of it with one person.
  const marks = (name: string) =>
    entries.filter(({ definitionId }) => definitionId === name).map(({ sessionId }) => sessionId);
  const sessions = timelines.map((timeline) => new Set(timeline.map(({ sessionId }) => sessionId)));
  const sessionIds = sessions.flatMap((ids) => [...ids]);
  expect(new Set(sessionIds).size, `a session of two persons; ${story}`).toBe(sessionIds.length);
  expect(marks("sessionStarted").toSorted(), story).toEqual(sessionIds.toSorted());
  expect(new Set(marks("sessionEnded")).size, story).toBe(marks("sessionEnded").length);
});
