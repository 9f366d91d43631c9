/** A person's browser and what they do in it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright";
import { chromium } from "playwright";
import type { PeopleTrackingSDK, TrackerState, TrackingOptions } from "../../../src/main/index.js";
import { CHROMIUM_ARGS, chromiumPath } from "../../chromium.js";
import { TRUSTED } from "./certificate.js";
import type { Site } from "./site.js";

declare global {
  interface Window {
    PeopleTrackingSDK: typeof PeopleTrackingSDK;
    sdk: PeopleTrackingSDK;
    /** The site's own, on pages that it makes. */
    trackingDefaults?: TrackingOptions;
    loaded?: boolean;
    widget: {
      startChat(): Promise<string>;
      authenticate(jwt: string): Promise<string>;
      signOut(): Promise<void>;
    };
  }
}

export interface BrowserOptions {
  executablePath?: string;
  /** Besides the usual ones. */
  args?: string[];
}

/** A browser profile that outlives its browser. */
export interface Person {
  /** The folder of the browser's profile. */
  readonly profile: string;
  browse(): Promise<BrowserContext>;
  /** Ends the browser with `SIGKILL`, all its processes at once. */
  kill(browser: BrowserContext): Promise<void>;
  /** Ends the browser and deletes its profile. */
  remove(): Promise<void>;
}

export const newPerson = async (options: BrowserOptions = {}): Promise<Person> => {
  const profile = await mkdtemp(join(tmpdir(), "people-tracking-"));
  const contexts = new Set<BrowserContext>();
  return {
    profile,
    async browse() {
      const context = await chromium.launchPersistentContext(profile, {
        executablePath: options.executablePath ?? chromiumPath(),
        args: [...CHROMIUM_ARGS, TRUSTED.trustArg, ...(options.args ?? [])],
        // Playwright turns it off, and it is what people's browsers have.
        ignoreDefaultArgs: ["--disable-back-forward-cache"],
      });
      contexts.add(context);
      context.on("close", () => contexts.delete(context));
      return context;
    },
    async kill(context) {
      const closed = context.waitForEvent("close");
      const session = await context.browser()?.newBrowserCDPSession();
      const { processInfo = [] } = (await session?.send("SystemInfo.getProcessInfo")) ?? {};
      // The browser's own first: it would start the others again.
      for (const { id, type } of processInfo.toSorted((a) => (a.type === "browser" ? -1 : 0))) {
        try {
          process.kill(id, "SIGKILL");
        } catch (error) {
          if (type === "browser") throw error; // the others may have followed it
        }
      }
      await closed;
    },
    async remove() {
      await Promise.all([...contexts].map((context) => context.close()));
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};

/** Opens a page of the site, without making a tracker. */
export const openTab = async (context: BrowserContext, site: Site, path = "/"): Promise<Page> => {
  const page = await context.newPage();
  await page.goto(site.origin + path);
  await page.waitForFunction(() => window.loaded);
  return page;
};

/** Makes a tracker in the page and answers `init`'s outcome. */
export const init = (page: Page, key: string, options: TrackingOptions = {}) =>
  page.evaluate(
    ([apiKey, given]) => {
      window.sdk = new window.PeopleTrackingSDK({ ...window.trackingDefaults, ...given });
      return window.sdk.init(apiKey);
    },
    [key, options] as const,
  );

/** Opens a page whose tracker is on. */
export const visit = async (
  context: BrowserContext,
  site: Site,
  options: TrackingOptions = {},
  path = "/",
): Promise<Page> => {
  const page = await openTab(context, site, path);
  const outcome = await init(page, site.trackingKey, options);
  if (!outcome.success) throw new Error(outcome.error.message);
  return page;
};

export const track = (page: Page, name: string) =>
  page.evaluate((given) => window.sdk.track("action", { name: given }), name);

/** Tracks events numbered from `from` on, without waiting between them; answers how many were stored. */
export const trackNumbers = (page: Page, from: number, count: number): Promise<number> =>
  page.evaluate(
    async ([first, total]) => {
      const calls = Array.from({ length: total }, (_, index) =>
        window.sdk.track("numbered", { n: first + index }),
      );
      return (await Promise.all(calls)).filter(({ success }) => success).length;
    },
    [from, count] as const,
  );

/** Waits until the service has settled all that this browser accepted; fails if something is left. */
export const settle = async (page: Page): Promise<void> => {
  const outcome = await page.evaluate(() => window.sdk.flush());
  if (!outcome.success || outcome.data.waiting > 0)
    throw new Error(`not settled: ${JSON.stringify(outcome)}`);
};

export const stateOf = (page: Page): Promise<TrackerState | null> => page.evaluate(() => window.sdk.state);

/** Pages are told at most ten times a second: the session that a page view began may show a moment later. */
export const stateWithSession = async (page: Page): Promise<TrackerState | null> => {
  await page.waitForFunction(() => window.sdk.state?.session);
  return stateOf(page);
};

/** Waits until the page's tracker has selected a profile of this kind. */
export const profileIs = async (page: Page, kind: "visitor" | "lead" | "authenticated"): Promise<void> => {
  await page.waitForFunction((wanted) => window.sdk.state?.profile?.kind === wanted, kind);
};
