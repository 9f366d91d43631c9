import { describe, expect, test } from "vitest";
import { useSetting } from "./support/setting.js";
import {
  init,
  openTab,
  profileIs,
  settle,
  stateOf,
  stateWithSession,
  trackNumbers,
  visit,
} from "./support/visit.js";

const setting = useSetting();

describe("several tabs", () => {
  test("five tabs opened at once make one visitor, one session, one start and five page views", async () => {
    const { browser, site } = setting;
    const tabs = await Promise.all(Array.from({ length: 5 }, () => openTab(browser, site)));
    const outcomes = await Promise.all(tabs.map((tab) => init(tab, site.trackingKey, { host: "shared" })));
    expect(outcomes).toEqual(tabs.map(() => ({ success: true, data: null })));
    const states = await Promise.all(tabs.map(stateWithSession));
    expect(new Set(states.map((state) => state?.profile?.id)).size).toBe(1);
    expect(new Set(states.map((state) => state?.session?.id)).size).toBe(1);

    // A visitor cannot be read back: a chat merges it into a lead, whose timeline then shows all of it.
    const [tab] = tabs as [(typeof tabs)[0]];
    const lead = await tab.evaluate(() => window.widget.startChat());
    await profileIs(tab, "lead");
    await settle(tab);
    const timeline = await site.timeline(lead);
    expect(timeline.map(({ definitionId }) => definitionId)).toEqual([
      "sessionStarted",
      ...tabs.map(() => "pageView"),
    ]);
    const registrations = site.requests.filter(({ path }) => path.endsWith("/registrations"));
    expect(registrations).toHaveLength(2); // the visitor's and the lead's, for all tabs
  });

  test("hosts of every kind race on one store and keep one session, each operation once and in order", async () => {
    const { browser, site } = setting;
    const kinds = ["shared", "dedicated", "page", "dedicated"] as const;
    const tabs = await Promise.all(kinds.map(() => openTab(browser, site)));
    await Promise.all(
      kinds.map((host, index) => init(tabs[index] as (typeof tabs)[0], site.trackingKey, { host })),
    );
    expect((await Promise.all(tabs.map(stateOf))).map((state) => state?.host)).toEqual(kinds);

    const stored = await Promise.all(tabs.map((tab, index) => trackNumbers(tab, index * 1000, 150)));
    expect(stored).toEqual([150, 150, 150, 150]);
    const [tab] = tabs as [(typeof tabs)[0]];
    const lead = await tab.evaluate(() => window.widget.startChat());
    await Promise.all(tabs.map((each) => profileIs(each, "lead")));
    await settle(tab);

    const timeline = await site.timeline(lead);
    const count = (id: string) => timeline.filter(({ definitionId }) => definitionId === id).length;
    expect([count("sessionStarted"), count("sessionEnded"), count("pageView")]).toEqual([1, 0, 4]);
    expect(new Set(timeline.map(({ sessionId }) => sessionId)).size).toBe(1);
    const accepted = site.requests.flatMap(({ operations, status }) => (status === 200 ? operations : []));
    const numbers = accepted.flatMap((op) =>
      op.type === "event" ? Number(op.properties?.["n"] ?? NaN) : [],
    );
    for (const [index] of kinds.entries()) {
      const own = numbers.filter((n) => Math.floor(n / 1000) === index);
      expect(own).toEqual(Array.from({ length: 150 }, (_, n) => index * 1000 + n));
    }
    expect(count("numbered")).toBe(600);
  });

  test("a tab that opens later joins the session that is open", async () => {
    const { browser, site } = setting;
    const first = await visit(browser, site);
    const second = await visit(browser, site);
    const [one, two] = [await stateWithSession(first), await stateWithSession(second)];
    expect(two?.session?.id).toBe(one?.session?.id);
    expect(two?.profile).toEqual(one?.profile);
  });
});
