/** Each row of the contract's "profile selection", the rules about many tabs, and the visitor's life. */
import { describe, expect, test } from "vitest";
import { trackingError } from "../../../../src/core/errors.js";
import { DAY, HOUR, MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import type { ProfileMergeOperation } from "../../../../src/protocol/wire.js";
import { NOON, TrackedBrowser, leadOf, userOf } from "../tracked-browser.js";

const merges = (browser: TrackedBrowser) => browser.rows.filter(({ type }) => type === "profile.merge");
const sessions = (browser: TrackedBrowser) =>
  new Set(browser.rows.flatMap(({ sessionId }) => sessionId ?? []));
const ends = (browser: TrackedBrowser) => browser.story.filter(([event]) => event === "sessionEnded");
const LEAD_A = { kind: "lead", id: "person-of-a" };
const USER = { kind: "authenticated", id: "user" };

const cause = (kind: string) => `only a lead can be updated, and the profile is of kind ${kind}`;

describe("a visitor", () => {
  // --- nothing yet ---

  test("nothing yet: a visitor is made on first use, and stays", () => {
    const browser = new TrackedBrowser();
    expect(browser.profile).toBeNull();
    browser.init();
    const visitor = browser.profile;
    expect(visitor?.kind).toBe("visitor");
    browser.track();
    browser.wait(HOUR);
    browser.track();
    expect(new Set(browser.rows.map(({ profile }) => profile.id))).toEqual(new Set([visitor?.id]));
  });

  test("selecting a profile alone records nothing", () => {
    const browser = new TrackedBrowser();
    browser.init();
    expect(browser.rows).toEqual([]);
  });

  test("who is selected has a profile queue, which a registration can be kept in, before anything is recorded", () => {
    const browser = new TrackedBrowser();
    browser.init();
    expect(browser.record.lanes).toEqual([{ profile: browser.profile, waiting: 0, rejected: 0 }]);
    browser.told(userOf("a"), { tab: "chat" });
    browser.left("a", { tab: "chat" });
    expect(browser.record.lanes).toContainEqual({ profile: browser.profile, waiting: 0, rejected: 0 });
  });
});

describe("a chat merges the visitor into the lead", () => {
  // --- chat started, not authenticated ---

  test("a chat starts: the lead is selected, the visitor merges into it, the session goes on", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const visitor = browser.profile!;
    browser.wait(MINUTE);
    browser.told(leadOf("a"), { tab: "chat" });
    browser.wait(MINUTE);
    browser.track();
    expect(browser.profile).toEqual(LEAD_A);
    expect(browser.rows.map(({ type, profile }) => [type, profile])).toEqual([
      ["event", visitor],
      ["event", visitor],
      ["profile.merge", LEAD_A],
      ["event", LEAD_A],
    ]);
    expect(merges(browser)[0]).toMatchObject({
      id: `m-${visitor.id.replaceAll("-", "")}`,
      occurredAt: new Date(NOON + MINUTE).toISOString(),
      operation: { from: visitor },
    });
    expect(sessions(browser).size).toBe(1);
  });

  test("a merge needs the visitor's token: its queue is kept and marked, and the lead has its Live Chat token", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const visitor = browser.profile;
    browser.told(leadOf("a"));
    expect(browser.record.lanes).toEqual([
      { profile: visitor, waiting: 2, rejected: 0, merging: true },
      { profile: LEAD_A, waiting: 1, rejected: 0, liveChatToken: "token-of-a" },
    ]);
  });

  test("a merge of a session that was due ends it when it was due, as the visitor's", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(HOUR);
    browser.told(leadOf("a"));
    expect(ends(browser)).toEqual([["sessionEnded", 30 * MINUTE]]);
    expect(browser.rows.map(({ profile }) => profile.kind)).toEqual([
      "visitor",
      "visitor",
      "visitor",
      "lead",
    ]);
  });

  test("a merge that is reported late keeps its place after what was accepted before", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(MINUTE);
    browser.track();
    browser.told(leadOf("a"), { tab: "chat", at: NOON + 30 * SECOND });
    expect(merges(browser)[0]?.occurredAt).toBe(browser.row("tab-2").occurredAt);
  });

  test("late activity of the visitor's time stays the visitor's after the merge, in the one session", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const visitor = browser.profile;
    browser.wait(MINUTE);
    browser.told(leadOf("a"));
    browser.track({ tab: "late", at: NOON + SECOND });
    expect(browser.row("late-1").profile).toEqual(visitor);
    expect(sessions(browser).size).toBe(1);
  });

  test("a merge parts no sessions: right before the lead's first activity, the visitor's late one joins it", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(HOUR);
    browser.told(leadOf("a"));
    browser.wait(SECOND);
    browser.track();
    browser.track({ tab: "late", at: browser.now - 2 * SECOND });
    expect(browser.row("late-1")).toMatchObject({
      sessionId: browser.record.session?.id,
      profile: LEAD_A,
      occurredAt: new Date(browser.now).toISOString(),
    });
  });

  test("a visitor that has no operations is not merged: the person takes its place, late activity included", () => {
    const browser = new TrackedBrowser();
    browser.init();
    browser.wait(MINUTE);
    browser.told(leadOf("a"));
    browser.track({ tab: "late", at: NOON + SECOND });
    browser.track();
    expect(merges(browser)).toEqual([]);
    expect(browser.rows.map(({ profile }) => profile)).toEqual(browser.rows.map(() => LEAD_A));
    expect(sessions(browser).size).toBe(1);
  });

  test("where Live Chat reports a person first, nothing is merged", () => {
    const browser = new TrackedBrowser();
    browser.init(leadOf("a"));
    browser.track();
    expect(browser.rows.map(({ profile }) => profile)).toEqual([LEAD_A, LEAD_A]);
  });
});

describe("signing in", () => {
  // --- authenticated, no chat before ---

  test("authenticated without a chat: the visitor merges into the user, the session goes on", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(MINUTE);
    browser.told(userOf("a"));
    browser.track();
    expect(browser.profile).toEqual(USER);
    expect(merges(browser)).toHaveLength(1);
    expect(merges(browser)[0]?.profile).toEqual(USER);
    expect(sessions(browser).size).toBe(1);
  });

  // --- authenticated, after a chat started ---

  test("authenticated after a chat: no merge, the lead's session ends then, the next activity starts one", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"), { tab: "chat" });
    browser.track();
    browser.wait(MINUTE);
    browser.told(userOf("a"), { tab: "chat" });
    expect(browser.story.at(-1)).toEqual(["sessionEnded", MINUTE]);
    expect(browser.rows.at(-1)?.profile).toEqual(LEAD_A);
    browser.wait(MINUTE);
    browser.track();
    expect(browser.story.slice(-2)).toEqual([
      ["sessionStarted", 2 * MINUTE],
      ["action", 2 * MINUTE],
    ]);
    expect(browser.rows.at(-1)?.profile).toEqual(USER);
    expect(merges(browser)).toEqual([]);
  });

  test("authenticated after a chat, as another Live Chat session: no merge either", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.track();
    browser.told(userOf("b"));
    browser.track();
    expect(merges(browser)).toEqual([]);
    expect(sessions(browser).size).toBe(2);
  });
});

describe("the end of a Live Chat session", () => {
  // --- terminated ---

  test("terminated: a new visitor, nothing moves, the session ends then, the next activity starts one", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const first = browser.profile;
    browser.told(leadOf("a"), { tab: "chat" });
    browser.track();
    browser.wait(MINUTE);
    const before = browser.rows.length;
    browser.left("a", { tab: "chat" });
    expect(browser.profile?.kind).toBe("visitor");
    expect(browser.profile).not.toEqual(first);
    expect(browser.story.slice(before)).toEqual([["sessionEnded", MINUTE]]);
    browser.track();
    expect(browser.rows.slice(before + 1).map(({ profile }) => profile)).toEqual([
      browser.profile,
      browser.profile,
    ]);
    expect(merges(browser)).toHaveLength(1);
  });

  test("a logout that is reported late takes effect after what was accepted before, late activity of that time included", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"), { tab: "chat" });
    browser.track();
    browser.wait(5 * MINUTE);
    browser.track();
    browser.left("a", { tab: "chat", at: NOON + 2 * MINUTE });
    browser.track({ tab: "late", at: NOON + 3 * MINUTE });
    expect(browser.row("late-1").profile).toEqual(LEAD_A);
    expect(sessions(browser).size).toBe(1);
  });

  test("a change that is reported late does not end the session before the merge over which it went on", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const visitor = browser.profile;
    browser.wait(5 * MINUTE);
    browser.told(userOf("b"), { tab: "chat" });
    browser.wait(MINUTE);
    browser.told(leadOf("a"), { tab: "late", at: NOON + 2 * MINUTE });
    expect(browser.story.at(-1)).toEqual(["sessionEnded", 5 * MINUTE]);
    browser.track({ tab: "journal", at: NOON + 3 * MINUTE });
    expect(browser.row("journal-1").profile).toEqual(visitor);
    expect(sessions(browser).size).toBe(1);
  });

  test("activity at the very moment of a change belongs to the new profile", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"), { tab: "chat" });
    browser.track();
    browser.left("a", { tab: "chat" });
    browser.track();
    expect(browser.row("tab-1").profile).toEqual(LEAD_A);
    expect(browser.row("tab-2").profile).toEqual(browser.profile);
    expect(browser.story).toEqual([
      ["sessionStarted", 0],
      ["action", 0],
      ["sessionEnded", 0],
      ["sessionStarted", 0],
      ["action", 0],
    ]);
  });

  test("a second chat after a logout merges the second visitor, once", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.told(leadOf("a"), { tab: "chat" });
    browser.left("a", { tab: "chat" });
    browser.track();
    browser.told(leadOf("b"), { tab: "chat" });
    browser.track();
    const from = merges(browser).map(({ operation }) => (operation as ProfileMergeOperation).from.id);
    expect(new Set(from).size).toBe(2);
    expect(merges(browser).map(({ profile }) => profile.id)).toEqual(["person-of-a", "person-of-b"]);
  });
});

describe("what several tabs report of Live Chat", () => {
  // --- many tabs ---

  test("a change takes effect once, however many tabs report it", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.told(leadOf("a"), { tab: "one" });
    const { record, rows } = browser;
    const length = rows.length;
    browser.wait(MINUTE);
    browser.told(leadOf("a"), { tab: "two" });
    browser.told(leadOf("a"), { tab: "three", at: NOON });
    expect(browser.record).toEqual(record);
    expect(browser.rows).toHaveLength(length);
  });

  test("an id that was left is retired for good: a late report of it, or of its end, changes nothing", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"), { tab: "one" });
    browser.left("a", { tab: "one" });
    const { record } = browser;
    browser.told(leadOf("a"), { tab: "two" });
    browser.left("a", { tab: "two" });
    browser.told(userOf("a"), { tab: "three" });
    browser.init(leadOf("a"));
    expect(browser.record).toEqual(record);
  });

  test("leaving an id for another retires it too", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"), { tab: "one" });
    browser.told(leadOf("b"), { tab: "one" });
    browser.told(leadOf("a"), { tab: "two" });
    expect(browser.profile).toEqual({ kind: "lead", id: "person-of-b" });
  });

  test("what one transaction retires, it does not select again", () => {
    const browser = new TrackedBrowser();
    const tell = (tab: string, session: ReturnType<typeof leadOf> | null, left?: string) => ({
      pageId: tab,
      commands: [browser.stamped(tab, { type: "liveChat", session, ...(left !== undefined && { left }) })],
      invalid: new Map(),
    });
    browser.submitGroups([tell("one", leadOf("a")), tell("one", null, "a"), tell("two", leadOf("a"))]);
    expect(browser.profile?.kind).toBe("visitor");
  });

  test("an id whose end was reported before its beginning never begins", () => {
    const browser = new TrackedBrowser();
    browser.init();
    browser.left("a", { tab: "one" });
    browser.told(leadOf("a"), { tab: "two" });
    expect(browser.profile?.kind).toBe("visitor");
  });

  test("`null` ends only the session that this tab reported before", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("b"), { tab: "one" });
    browser.left("a", { tab: "two" });
    expect(browser.profile).toEqual({ kind: "lead", id: "person-of-b" });
  });

  test("`null` from a tab that never reported a session ends nothing, at `init` neither", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"), { tab: "one" });
    browser.submit("two", [browser.stamped("two", { type: "liveChat", session: null })]);
    browser.init(null);
    expect(browser.profile).toEqual(LEAD_A);
  });

  test("within one id an authenticated user never becomes the lead again", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"), { tab: "one" });
    browser.told(userOf("a"), { tab: "one" });
    const { record } = browser;
    browser.told(leadOf("a"), { tab: "two" });
    browser.told(leadOf("a", "somebody"), { tab: "two" });
    expect(browser.record).toEqual(record);
  });

  test("a new token only replaces the token, and closes the profile's circuit breaker", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.track();
    const { record, rows } = browser;
    const length = rows.length;
    const stop = { error: trackingError(2018, "people-service"), stoppedAt: NOON, trialAt: NOON + HOUR };
    browser.record = { ...record, lanes: record.lanes.map((queue) => ({ ...queue, stop })) };
    browser.told({ ...leadOf("a"), token: "renewed" });
    expect(browser.record).toEqual({
      ...record,
      lanes: record.lanes.map((queue) => ({ ...queue, liveChatToken: "renewed" })),
    });
    expect(browser.rows).toHaveLength(length);
  });

  test("the same person in another Live Chat session goes on in one activity session, and the old id is retired", () => {
    const browser = new TrackedBrowser();
    browser.told(userOf("a"));
    browser.track();
    browser.told(userOf("b"));
    browser.track();
    expect(sessions(browser).size).toBe(1);
    expect(browser.retired.has("a")).toBe(true);
  });

  test("another person within one id is a termination followed by the new session, reported late once more or not", () => {
    const browser = new TrackedBrowser();
    browser.told(userOf("a", "anna"), { tab: "one" });
    browser.track();
    browser.told(userOf("a", "bert"), { tab: "one" });
    browser.told(userOf("a", "anna"), { tab: "two" });
    browser.track();
    expect(browser.profile).toEqual({ kind: "authenticated", id: "bert" });
    expect(merges(browser)).toEqual([]);
    expect(sessions(browser).size).toBe(2);
  });

  test("another lead in another id is a termination followed by the new session", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.track();
    browser.told(leadOf("b"));
    browser.track();
    expect(merges(browser)).toEqual([]);
    expect(ends(browser)).toHaveLength(1);
    expect(sessions(browser).size).toBe(2);
  });
});

describe("who is updated", () => {
  // --- whose an operation is ---

  test("operations keep the profile that was selected when they were accepted", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const accepted = structuredClone(browser.rows);
    browser.told(leadOf("a"));
    browser.told(userOf("a"));
    browser.left("a");
    expect(browser.rows.slice(0, 2)).toEqual(accepted);
  });

  test("only a lead can be updated", () => {
    const browser = new TrackedBrowser();
    browser.init();
    const refused = () => [browser.updatePerson({ tab: "one" }), browser.appendToList({ tab: "one" })];
    expect(refused().map(({ error }) => [error?.code, error?.message])).toEqual([
      [2017, `Error when calling updatePerson(). Cause: ${cause("visitor")}`],
      [2019, `Error when calling appendToList(). Cause: ${cause("visitor")}`],
    ]);
    browser.told(leadOf("a"));
    expect(refused().map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(browser.rows.map(({ type, profile }) => [type, profile])).toEqual([
      ["person.update", LEAD_A],
      ["list.append", LEAD_A],
    ]);
    browser.told(userOf("a"));
    expect(refused().map(({ error }) => error?.message)).toEqual([
      `Error when calling updatePerson(). Cause: ${cause("authenticated")}`,
      `Error when calling appendToList(). Cause: ${cause("authenticated")}`,
    ]);
  });

  test("before any profile is selected nothing can be updated", () => {
    expect(new TrackedBrowser().updatePerson().error?.code).toBe(2017);
  });

  test("a profile update is no activity: it neither starts a session nor keeps one", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.updatePerson({ tab: "one" });
    expect(browser.record.session).toBeNull();
    browser.track();
    const { session } = browser.record;
    browser.wait(MINUTE);
    browser.updatePerson({ tab: "one" });
    expect(browser.record.session).toEqual(session);
  });

  test("an update that a journal brings late is the lead's of its own time, never the next one's", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"), { tab: "chat" });
    browser.wait(HOUR);
    browser.left("a", { tab: "chat" });
    browser.told(leadOf("b"), { tab: "chat" });
    browser.updatePerson({ tab: "late", at: NOON + MINUTE });
    expect(browser.row("late-1")).toMatchObject({
      profile: LEAD_A,
      occurredAt: new Date(NOON + MINUTE).toISOString(),
    });
  });

  test("an update called right before the chat was reported is the lead's, into which the visitor merged", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(SECOND);
    browser.told(leadOf("a"), { tab: "chat" });
    expect(browser.updatePerson({ tab: "other", at: browser.now - 1 }).error).toBeUndefined();
    expect(browser.row("other-1").profile).toEqual(LEAD_A);
  });
});

describe("a visitor's lifetime", () => {
  // --- the visitor ---

  test("a visitor is reused until 45 days after its last activity", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const visitor = browser.profile;
    browser.wait(45 * DAY);
    browser.track();
    expect(browser.profile).toEqual(visitor);
    browser.wait(45 * DAY);
    browser.track();
    expect(browser.profile).toEqual(visitor);
  });

  test("45 days after its last activity a visitor is gone: the next activity makes a new one, and nothing merges", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const visitor = browser.profile;
    browser.wait(45 * DAY + 1);
    browser.track();
    expect(browser.profile?.kind).toBe("visitor");
    expect(browser.profile).not.toEqual(visitor);
    expect(browser.rows.at(-1)?.profile).toEqual(browser.profile);
    expect(sessions(browser).size).toBe(2);
    expect(merges(browser)).toEqual([]);
  });

  test("looking does not keep a visitor alive: neither page loads without activity nor updates count", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const visitor = browser.profile;
    browser.wait(40 * DAY);
    browser.init();
    expect(browser.profile).toEqual(visitor);
    browser.wait(5 * DAY + 1);
    browser.init();
    expect(browser.profile).not.toEqual(visitor);
  });

  test("a visitor that is gone is not merged into the person who comes after it", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(50 * DAY);
    browser.told(leadOf("a"));
    browser.track();
    expect(merges(browser)).toEqual([]);
    browser.track({ tab: "late", at: browser.now - DAY });
    expect(browser.row("late-1").profile).toEqual(LEAD_A);
  });

  test("late activity of a gone visitor's time stays that visitor's", () => {
    const browser = new TrackedBrowser();
    browser.track();
    const visitor = browser.profile;
    browser.wait(46 * DAY);
    browser.init();
    browser.track({ tab: "late", at: NOON + DAY });
    expect(browser.row("late-1").profile).toEqual(visitor);
  });

  test("a merge stands after all that it merges, also where the clock was set back in between", () => {
    const browser = new TrackedBrowser();
    browser.wait(5 * HOUR);
    browser.track();
    browser.wait(-5 * HOUR);
    browser.told(leadOf("a"));
    const merge = browser.rows.at(-1)!;
    expect(merge.type).toBe("profile.merge");
    for (const row of browser.rows) expect(merge.occurredAt >= row.occurredAt).toBe(true);
    browser.track();
    expect(browser.rows.at(-1)).toMatchObject({
      profile: { kind: "lead" },
      occurredAt: "2026-03-01T12:00:00.000Z",
    });
  });

  test("a clock that was set back by much does not prolong a visitor's life", () => {
    const browser = new TrackedBrowser();
    browser.wait(400 * DAY);
    browser.track();
    const visitor = browser.profile;
    browser.wait(-400 * DAY);
    browser.track();
    expect(browser.profile).toEqual(visitor);
    browser.wait(45 * DAY + 1);
    browser.track();
    expect(browser.profile).not.toEqual(visitor);
  });
});
