/** Several tabs of one browser. */
import { describe, expect, test } from "vitest";
import type { TimelineEntry } from "../../server/src/index.js";
import type { Tab } from "./support/engine.js";
import type { Setting } from "./support/setting.js";
import {
  awaitBackOff,
  expectEventually,
  go,
  init,
  openTab,
  profileIs,
  settle,
  startChat,
  stateOf,
  track,
  visit,
} from "./support/visit.js";

/** Events as one reads them: `action:before chat`. */
const told = (timeline: readonly TimelineEntry[]): string[] =>
  timeline.map(({ definitionId, properties }) =>
    definitionId === "action" ? `action:${properties?.["name"] as string}` : definitionId,
  );

export const tabs = (setting: Setting): void => {
  describe("several tabs", () => {
    test("the tracker runs in a SharedWorker", async () => {
      const tab = await visit(setting.browser, setting.site);
      expect(await stateOf(tab)).toMatchObject({ host: "shared", storage: "disk" });
    });

    test("five tabs at once make one visitor, one session, one start and five page views", async () => {
      const { browser, site } = setting;
      const all = await Promise.all(Array.from({ length: 5 }, () => openTab(browser, site)));
      const outcomes = await Promise.all(all.map((tab) => init(tab, site)));
      expect(outcomes).toEqual(all.map(() => ({ success: true, data: null })));
      // Told at most ten times a second: the state of a tab may be of a moment ago.
      const ids = async () => (await Promise.all(all.map(stateOf))).map((state) => state?.session?.id);
      await expectEventually(async () => (await ids()).every(Boolean), true);
      expect(new Set(await ids()).size).toBe(1);
      const profiles = (await Promise.all(all.map(stateOf))).map((state) => state?.profile?.id);
      expect(new Set(profiles).size).toBe(1);

      const [tab] = all as [(typeof all)[0]];
      const lead = await startChat(tab);
      await settle(tab);
      expect(told(await site.timeline(lead))).toEqual(["sessionStarted", ...all.map(() => "pageView")]);
    });

    test("a chat, a sign-in after it and a sign-out change the profile of every tab", async () => {
      const { browser, site } = setting;
      const [tab, other] = [await visit(browser, site), await visit(browser, site)];
      await track(other, "before chat");
      const lead = await startChat(tab);
      await profileIs(other, "lead");
      await track(other, "as lead");

      const jwt = await site.jwt("ann@example.com");
      const user = await tab.run((token) => window.widget.authenticate(token), jwt);
      await Promise.all([profileIs(tab, "authenticated"), profileIs(other, "authenticated")]);
      await track(other, "as user");

      await other.run(() => window.widget.signOut());
      await Promise.all([profileIs(tab, "visitor"), profileIs(other, "visitor")]);
      await track(tab, "signed out");
      const next = await startChat(other);
      await settle(tab);

      expect(told(await site.timeline(lead))).toEqual([
        "sessionStarted",
        "pageView",
        "pageView",
        "action:before chat",
        "action:as lead",
        "sessionEnded",
      ]);
      expect(told(await site.timeline(user))).toEqual(["sessionStarted", "action:as user", "sessionEnded"]);
      expect(told(await site.timeline(next))).toEqual(["sessionStarted", "action:signed out"]);
    });

    test("a tab goes on when others close and when it is reloaded", async () => {
      const { browser, site } = setting;
      const [tab, other] = [await visit(browser, site), await visit(browser, site)];
      await settle(tab);
      site.setReachable(false);
      await track(tab, "together");
      await awaitBackOff(tab);
      await other.close();
      // WebKit runs the worker anew under the tab that stays.
      expect(await track(tab, "alone")).toEqual({ success: true, data: null });
      await awaitBackOff(tab);
      await go(tab, () => void setTimeout(() => location.reload()));
      await expectEventually(() => tab.run(() => window.loaded && !window.sdk), true);
      site.setReachable(true);
      await init(tab, site);
      expect(await track(tab, "reloaded")).toEqual({ success: true, data: null });

      const lead = await startChat(tab);
      await settle(tab);
      expect(told(await site.timeline(lead))).toEqual([
        "sessionStarted",
        "pageView",
        "pageView",
        "action:together",
        "action:alone",
        "pageView",
        "action:reloaded",
      ]);
    });
  });
};

/** Goes to another page of the site and, once that stands and the rest was seen, back to this one. */
const goAndComeBack = async (tab: Tab, meanwhile?: () => Promise<void>): Promise<void> => {
  // Firefox keeps no page that is still loading.
  await expectEventually(() => tab.run(() => document.readyState), "complete");
  await go(tab, () => void setTimeout(() => location.assign(`/elsewhere${location.hash}`)));
  await expectEventually(() => tab.run(() => window.loaded && location.pathname), "/elsewhere");
  await meanwhile?.();
  await go(tab, () => void setTimeout(() => history.back()));
  await expectEventually(() => tab.run(() => window.loaded && location.pathname), "/");
};

/** A page that was loaded again would have lost its mark. */
const mark = (tab: Tab): Promise<void> => tab.run(() => void ((window as { mark?: boolean }).mark = true));
const isMarked = (tab: Tab): Promise<boolean> => tab.run(() => (window as { mark?: boolean }).mark === true);

const HOSTS = ["shared", "dedicated", "page"] as const;

export const backForwardCache = (setting: Setting): void => {
  describe("the back-forward cache", () => {
    test("the back-forward cache restores a page that went with calls unanswered, and they are answered", async () => {
      const { browser, site } = setting;
      const other = await visit(browser, site);
      const tab = await visit(browser, site);
      await settle(tab);
      site.intercept(({ path }) =>
        path.endsWith("/v1/batches")
          ? { status: 503, headers: { "Retry-After": "3600" }, body: "" }
          : undefined,
      );
      await track(tab, "waiting");
      await expectEventually(async () => (await stateOf(tab))?.delivery.status, "retrying");
      await tab.run(() => {
        Object.assign(window, { outcome: window.sdk.flush({ timeoutMs: 60_000 }) });
      });
      await goAndComeBack(tab, async () => {
        // Nothing waits any more, which is what the page in the cache asked for.
        expect(await other.run(() => window.sdk.eraseLocalData())).toEqual({ success: true, data: null });
        await settle(other);
      });
      expect(await tab.run(() => (window as unknown as { outcome: Promise<unknown> }).outcome)).toEqual({
        success: true,
        data: { waiting: 0 },
      });
    });

    test("the back-forward cache restores a page with the tracker, which goes on", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      await settle(tab);
      await mark(tab);
      // The last message of its host has arrived: one that comes as the page goes throws it out of Firefox's cache.
      await expectEventually(async () => (await stateOf(tab))?.delivery.status, "idle");
      await goAndComeBack(tab);
      expect(await isMarked(tab)).toBe(true);
      expect(await track(tab, "restored")).toEqual({ success: true, data: null });

      const lead = await startChat(tab);
      await settle(tab);
      expect(told(await site.timeline(lead)).toSorted()).toEqual([
        "action:restored",
        "pageView",
        "pageView",
        "sessionStarted",
      ]);
    });

    test("the back-forward cache restores a page whose host sends as it goes", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      await settle(tab);
      let answer: (() => void) | undefined;
      const answered = new Promise<undefined>((resolve) => (answer = () => resolve(undefined)));
      site.intercept(({ path }) => (path.endsWith("/v1/batches") ? answered : undefined));
      await track(tab, "sent as it goes");
      await expectEventually(() => site.requests.at(-1)?.operations.length, 1);
      await mark(tab);
      await goAndComeBack(tab, async () => answer?.());
      expect(await isMarked(tab)).toBe(true);

      const lead = await startChat(tab);
      await settle(tab);
      expect(told(await site.timeline(lead)).toSorted()).toEqual([
        "action:sent as it goes",
        "pageView",
        "pageView",
        "sessionStarted",
      ]);
    });

    test.each(HOSTS)(
      "the back-forward cache restores a page while another tab sends (host: %s)",
      async (host) => {
        const { browser, site } = setting;
        const tab = await visit(browser, site, { host });
        const other = await visit(browser, site, { host });
        await track(tab, "before it goes");
        await settle(tab);
        await mark(tab);
        await goAndComeBack(tab, async () => {
          for (const name of ["first", "second", "third"]) {
            await track(other, name);
            await settle(other);
          }
        });
        expect(await isMarked(tab)).toBe(true);
        expect(await track(tab, "restored")).toEqual({ success: true, data: null });

        const lead = await startChat(tab);
        await settle(tab);
        expect(told(await site.timeline(lead)).toSorted()).toEqual([
          "action:before it goes",
          "action:first",
          "action:restored",
          "action:second",
          "action:third",
          "pageView",
          "pageView",
          "pageView",
          "sessionStarted",
        ]);
      },
    );

    test("a page in the back-forward cache, being its own host, keeps no other tab from the disk", async () => {
      const { browser, site } = setting;
      const host = "page";
      const tab = await visit(browser, site, { host });
      const other = await visit(browser, site, { host });
      for (let round = 0; round < 4; round++) {
        await tab.run(() => {
          void (async () => {
            for (let n = 0; n < 200; n++) await window.sdk.track("action", { name: "busy" });
          })();
        });
        await goAndComeBack(tab, async () => {
          expect(await track(other, "meanwhile")).toEqual({ success: true, data: null });
          expect((await stateOf(other))?.storage).toBe("disk");
          await settle(other);
        });
        // Not every engine caches a page that left in the midst of it.
        if (!(await tab.run(() => !!window.sdk))) await init(tab, site, { host });
      }
    });
  });
};
