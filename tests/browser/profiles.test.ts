import { describe, expect, test } from "vitest";
import type { TimelineEntry } from "../../server/src/index.js";
import { useSetting } from "./support/setting.js";
import { profileIs, settle, stateOf, track, visit } from "./support/visit.js";

const setting = useSetting();

/** Events as one reads them: `action:before chat`. */
const told = (timeline: readonly TimelineEntry[]): string[] =>
  timeline.map(({ definitionId, properties }) =>
    definitionId === "action" ? `action:${properties?.["name"] as string}` : definitionId,
  );

describe("profile selection", () => {
  test("a chat merges the visitor's activity into the lead, and the session goes on", async () => {
    const { browser, site } = setting;
    const [tab, other] = [await visit(browser, site), await visit(browser, site)];
    await track(tab, "before chat");
    const lead = await tab.evaluate(() => window.widget.startChat());
    await Promise.all([profileIs(tab, "lead"), profileIs(other, "lead")]);
    await track(other, "after chat");
    await settle(tab);

    const timeline = await site.timeline(lead);
    expect(told(timeline)).toEqual([
      "sessionStarted",
      "pageView",
      "pageView",
      "action:before chat",
      "action:after chat",
    ]);
    expect(new Set(timeline.map(({ sessionId }) => sessionId)).size).toBe(1);
    const batches = site.requests.filter(({ operations }) => operations.length > 0);
    const merges = batches
      .flatMap(({ operations }) => operations)
      .filter(({ type }) => type === "profile.merge");
    expect(merges).toHaveLength(1); // though both tabs told of the chat
  });

  test("signing in without a chat merges the visitor's activity into the user, and the session goes on", async () => {
    const { browser, site } = setting;
    const [tab, other] = [await visit(browser, site), await visit(browser, site)];
    await track(tab, "before");
    const user = await tab.evaluate(
      (jwt) => window.widget.authenticate(jwt),
      await site.jwt("ann@example.com"),
    );
    await Promise.all([profileIs(tab, "authenticated"), profileIs(other, "authenticated")]);
    await track(other, "after");
    await settle(tab);
    const timeline = await site.timeline(user);
    expect(told(timeline)).toEqual([
      "sessionStarted",
      "pageView",
      "pageView",
      "action:before",
      "action:after",
    ]);
  });

  test("signing in after a chat leaves the lead its activity, and ends the session at that moment", async () => {
    const { browser, site } = setting;
    const [tab, other] = [await visit(browser, site), await visit(browser, site)];
    const lead = await tab.evaluate(() => window.widget.startChat());
    await profileIs(other, "lead");
    await track(other, "as lead");
    const user = await tab.evaluate(
      (jwt) => window.widget.authenticate(jwt),
      await site.jwt("bob@example.com"),
    );
    await Promise.all([profileIs(tab, "authenticated"), profileIs(other, "authenticated")]);
    expect((await stateOf(tab))?.session).toBeNull();
    await track(other, "as user");
    await settle(tab);

    const leads = await site.timeline(lead);
    expect(told(leads)).toEqual(["sessionStarted", "pageView", "pageView", "action:as lead", "sessionEnded"]);
    const users = await site.timeline(user);
    expect(told(users)).toEqual(["sessionStarted", "action:as user"]);
    expect(users[0]?.sessionId).not.toBe(leads[0]?.sessionId);
  });

  test("signing out makes a new visitor, and what follows stays out of the person's profile", async () => {
    const { browser, site } = setting;
    const [tab, other] = [await visit(browser, site), await visit(browser, site)];
    const visitor = (await stateOf(tab))?.profile?.id;
    const user = await tab.evaluate(
      (jwt) => window.widget.authenticate(jwt),
      await site.jwt("cyd@example.com"),
    );
    await profileIs(other, "authenticated");
    await other.evaluate(() => window.widget.signOut());
    await Promise.all([profileIs(tab, "visitor"), profileIs(other, "visitor")]);
    const state = await stateOf(tab);
    expect(state?.profile?.id).not.toBe(visitor);
    expect(state?.session).toBeNull();
    await track(tab, "signed out");
    await settle(tab);
    expect(told(await site.timeline(user))).toEqual([
      "sessionStarted",
      "pageView",
      "pageView",
      "sessionEnded",
    ]);

    // The new visitor's activity goes to whom it belongs: the next lead.
    const lead = await tab.evaluate(() => window.widget.startChat());
    await profileIs(tab, "lead");
    await settle(tab);
    expect(told(await site.timeline(lead))).toEqual(["sessionStarted", "action:signed out"]);
  });

  test("a terminated Live Chat session is never revived by a tab that reports it late", async () => {
    const { browser, site } = setting;
    const [tab, late] = [await visit(browser, site), await visit(browser, site)];
    await tab.evaluate(() => window.widget.startChat());
    await profileIs(late, "lead");
    const stale = await late.evaluate(() => localStorage.getItem("fixture-live-chat"));
    await tab.evaluate(() => window.widget.signOut());
    await Promise.all([profileIs(tab, "visitor"), profileIs(late, "visitor")]);
    const visitor = (await stateOf(tab))?.profile;

    // A page that opens with the old session in hand, as a restored tab does.
    await tab.evaluate((session) => localStorage.setItem("fixture-live-chat", session as string), stale);
    const restored = await visit(browser, site);
    expect((await stateOf(restored))?.profile).toEqual(visitor);
  });

  test("a page that opens signed in is the person from its first page view on", async () => {
    const { browser, site } = setting;
    const first = await visit(browser, site);
    const lead = await first.evaluate(() => window.widget.startChat());
    await profileIs(first, "lead");
    await settle(first);
    const next = await visit(browser, site);
    expect((await stateOf(next))?.profile).toEqual({ kind: "lead", id: lead });
    await settle(next);
    expect(told(await site.timeline(lead))).toEqual(["sessionStarted", "pageView", "pageView"]);
  });
});
