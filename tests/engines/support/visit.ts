/** What a person does in a tab, on any engine. */
import { expect } from "vitest";
import type { Outcome, ProfileKind, TrackerState, TrackingOptions } from "../../../src/main/index.js";
import type { Site } from "../../browser/support/site.js";
import type { Browser, Tab } from "./engine.js";

/** Longer than any time-out of the tracker's: what is waited for comes, or the test fails. */
const PATIENCE_MS = 60_000;

export const expectEventually = async (read: () => unknown, expected: unknown): Promise<void> => {
  await expect.poll(read, { timeout: PATIENCE_MS, interval: 50 }).toEqual(expected);
};

/** Runs what takes the tab to another page: this one may be gone before it can answer. */
export const go = async (tab: Tab, work: () => void): Promise<void> => {
  await tab.run(work).catch(() => undefined);
};

/** Opens a page of the site, without making a tracker. */
export const openTab = async (browser: Pick<Browser, "open">, site: Site, path = "/"): Promise<Tab> => {
  const tab = await browser.open(site.origin + path);
  await expectEventually(() => tab.run(() => window.loaded === true), true);
  return tab;
};

/** Makes a tracker in the page and answers `init`'s outcome. */
export const init = (tab: Tab, site: Site, options: TrackingOptions = {}): Promise<Outcome> =>
  tab.run(
    (key, given) => {
      window.sdk = new window.PeopleTrackingSDK({ ...window.trackingDefaults, ...given });
      return window.sdk.init(key);
    },
    site.trackingKey,
    options,
  );

/** Opens a page whose tracker is on. */
export const visit = async (
  browser: Pick<Browser, "open">,
  site: Site,
  options: TrackingOptions = {},
  path = "/",
): Promise<Tab> => {
  const tab = await openTab(browser, site, path);
  const started = await init(tab, site, options);
  if (!started.success) throw new Error(`init() failed: ${started.error.message}`);
  return tab;
};

export const track = (tab: Tab, name: string): Promise<Outcome> =>
  tab.run((given) => window.sdk.track("action", { name: given }), name);

/** Tracks events numbered from `from` on, without waiting between them; answers how many were stored. */
export const trackNumbers = (tab: Tab, from: number, count: number): Promise<number> =>
  tab.run(
    async (first, total) => {
      const calls = Array.from({ length: total }, (_, index) =>
        window.sdk.track("numbered", { n: first + index }),
      );
      return (await Promise.all(calls)).filter(({ success }) => success).length;
    },
    from,
    count,
  );

/** Waits until the service has settled all that this browser accepted. */
export const settle = async (tab: Tab): Promise<void> => {
  const flushed = await tab.run(() => window.sdk.flush({ timeoutMs: 60_000 }));
  if (!flushed.success) throw new Error(`flush() failed: ${flushed.error.message}`);
  if (flushed.data.waiting > 0) throw new Error(`${flushed.data.waiting} operations still wait`);
};

/**
 * Waits, with the service out of reach, until the host has nothing to do for a while. WebKit keeps the transaction of a
 * worker that ends in its midst, and with it all others out of that database, for as long as the process lives.
 */
export const awaitBackOff = (tab: Tab): Promise<void> =>
  expectEventually(
    () => tab.run(() => Date.parse(window.sdk.state?.delivery.nextAttemptAt ?? "") - Date.now() > 500),
    true,
  );

export const stateOf = (tab: Tab): Promise<TrackerState | null> => tab.run(() => window.sdk.state);

export const profileIs = (tab: Tab, kind: ProfileKind): Promise<void> =>
  expectEventually(async () => (await stateOf(tab))?.profile?.kind, kind);

/** Merges the visitor into a lead: only a person's timeline can be read. Answers the lead's id. */
export const startChat = async (tab: Tab): Promise<string> => {
  const lead = await tab.run(() => window.widget.startChat());
  await profileIs(tab, "lead");
  return lead;
};

/** The numbers on a person's timeline, in its order. */
export const numbersOf = async (lead: string, site: Site): Promise<unknown[]> => {
  const timeline = await site.timeline(lead);
  return timeline
    .filter(({ definitionId }) => definitionId === "numbered")
    .map(({ properties }) => properties?.["n"]);
};

/** Merges, settles, and answers the numbers that the service shows. */
export const numbersOnService = async (tab: Tab, site: Site): Promise<unknown[]> => {
  const lead = await startChat(tab);
  await settle(tab);
  return numbersOf(lead, site);
};
