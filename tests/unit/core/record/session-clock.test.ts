/** Each sentence of the contract's "activity session". */
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../../../src/protocol/wire.js";
import { NOON, TrackedBrowser, leadOf, userOf } from "../tracked-browser.js";

const sessionOf = (browser: TrackedBrowser, id: string) => browser.row(id).sessionId;

describe("an activity session", () => {
  test("the first activity starts a session: its start stands right before it, with the same time", () => {
    const browser = new TrackedBrowser();
    browser.pageView();
    expect(browser.story).toEqual([
      ["sessionStarted", 0],
      ["pageView", 0],
    ]);
    const { id } = browser.record.session!;
    expect(browser.ids).toEqual([`s-${id}`, "tab-1"]);
    expect(browser.rows.map(({ sessionId }) => sessionId)).toEqual([id, id]);
  });

  test("activity of any tab keeps the session, to the last millisecond before it is due", () => {
    const browser = new TrackedBrowser();
    browser.track({ tab: "one" });
    browser.wait(30 * MINUTE - 1);
    browser.track({ tab: "two" });
    browser.wait(30 * MINUTE - 1);
    browser.track({ tab: "three" });
    expect(browser.story.filter(([event]) => event !== "action")).toEqual([["sessionStarted", 0]]);
  });

  test("a session expires 30 minutes after the last activity, and the next activity starts another", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(30 * MINUTE);
    browser.track();
    expect(browser.story).toEqual([
      ["sessionStarted", 0],
      ["action", 0],
      ["sessionEnded", 30 * MINUTE],
      ["sessionStarted", 30 * MINUTE],
      ["action", 30 * MINUTE],
    ]);
  });

  test("an end carries the time that was due, also when it is noticed days later", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(3 * DAY);
    browser.endDue();
    browser.endDue();
    expect(browser.story.slice(2)).toEqual([["sessionEnded", 30 * MINUTE]]);
    expect(browser.record.session).toBeNull();
  });

  test("a timer that comes early ends nothing", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(30 * MINUTE - 1);
    browser.endDue();
    expect(browser.record.session).not.toBeNull();
  });

  test("an end of 29 days is made, an older one is not", () => {
    for (const [age, ends] of [
      [29 * DAY, 1],
      [29 * DAY + 1, 0],
    ] as const) {
      const browser = new TrackedBrowser();
      browser.track();
      browser.wait(30 * MINUTE + age);
      browser.track();
      expect(browser.story.filter(([event]) => event === "sessionEnded")).toHaveLength(ends);
      expect(browser.story.filter(([event]) => event === "sessionStarted")).toHaveLength(2);
    }
  });

  test("a change of profile ends the session at that moment", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.track();
    browser.wait(5 * MINUTE);
    browser.left("a");
    expect(browser.story.at(-1)).toEqual(["sessionEnded", 5 * MINUTE]);
    expect(browser.rows.at(-1)?.profile).toEqual({ kind: "lead", id: "person-of-a" });
  });

  test("ended by a change that is reported late, a session ends at its last activity", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.track();
    browser.wait(5 * MINUTE);
    browser.track();
    browser.left("a", { at: NOON + 2 * MINUTE });
    expect(browser.story.at(-1)).toEqual(["sessionEnded", 5 * MINUTE]);
  });

  test("ended by a change after it was due, a session ends when it was due", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.track();
    browser.wait(2 * HOUR);
    browser.left("a");
    expect(browser.story.at(-1)).toEqual(["sessionEnded", 30 * MINUTE]);
  });

  test("what is due is stored with each activity, by the time-out of the tab that recorded it", () => {
    const browser = new TrackedBrowser();
    browser.track({ tab: "patient", sessionTimeoutMs: HOUR });
    expect(browser.record.session?.expiresAt).toBe(NOON + HOUR);
    browser.wait(MINUTE);
    browser.track({ tab: "hasty", sessionTimeoutMs: 5 * MINUTE });
    browser.wait(5 * MINUTE);
    browser.track({ tab: "patient", sessionTimeoutMs: HOUR });
    expect(browser.story.slice(-3)).toEqual([
      ["sessionEnded", 6 * MINUTE],
      ["sessionStarted", 6 * MINUTE],
      ["action", 6 * MINUTE],
    ]);
  });
});

describe("late activity", () => {
  test("late activity in the open session's time joins it and moves nothing", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(20 * MINUTE);
    browser.track();
    const { session } = browser.record;
    browser.track({ tab: "late", at: NOON + 10 * MINUTE });
    expect(browser.row("late-1")).toMatchObject({ sessionId: session!.id });
    expect(browser.story.at(-1)).toEqual(["action", 10 * MINUTE]);
    expect(browser.record.session).toEqual(session);
  });

  test("late activity in a past session's time takes that session and profile; the end already made stays", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.track();
    browser.wait(HOUR);
    browser.left("a");
    browser.track();
    const before = browser.record.pastSessions;
    browser.track({ tab: "late", at: NOON + 30 * MINUTE - 1 });
    expect(browser.row("late-1")).toMatchObject({
      sessionId: sessionOf(browser, "tab-2"),
      profile: { kind: "lead", id: "person-of-a" },
    });
    expect(browser.record.pastSessions).toEqual(before);
    expect(browser.ids.filter((id) => /^[es]-/.test(id))).toHaveLength(3);
  });

  test("up to 10 s before the open session's start, late activity joins it at its start", () => {
    for (const [early, joins] of [
      [10 * SECOND, true],
      [10 * SECOND + 1, false],
    ] as const) {
      const browser = new TrackedBrowser();
      browser.wait(HOUR);
      browser.track();
      browser.track({ tab: "late", at: browser.now - early });
      expect(sessionOf(browser, "late-1") === sessionOf(browser, "tab-1")).toBe(joins);
      expect(browser.row("late-1").occurredAt).toBe(
        new Date(joins ? browser.now : browser.now - early).toISOString(),
      );
    }
  });

  test("right before the open session's start, but in the previous one, late activity takes the previous one", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(30 * MINUTE);
    browser.track();
    browser.track({ tab: "late", at: browser.now - 1 });
    expect(sessionOf(browser, "late-1")).toBe(sessionOf(browser, "tab-1"));
  });

  test("right before the open session's start, but before a change of profile, late activity stays there", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"), { tab: "chat" });
    browser.wait(HOUR);
    browser.left("a", { tab: "chat" });
    browser.track();
    browser.track({ tab: "late", at: browser.now - 1 });
    expect(browser.row("late-1").profile).toEqual({ kind: "lead", id: "person-of-a" });
    expect(sessionOf(browser, "late-1")).not.toBe(sessionOf(browser, "tab-1"));
    expect(browser.story.at(-1)).toEqual(["sessionEnded", HOUR]);
  });

  test("late activity in no session's time makes one of its own, ended when it is due", () => {
    const browser = new TrackedBrowser();
    browser.wait(5 * HOUR);
    browser.track();
    browser.track({ tab: "late", at: NOON + HOUR });
    expect(browser.story.slice(2)).toEqual([
      ["sessionStarted", HOUR],
      ["action", HOUR],
      ["sessionEnded", HOUR + 30 * MINUTE],
    ]);
    expect(browser.record.session?.startedAt).toBe(NOON + 5 * HOUR);
  });

  test("late activity in no session's time makes one of its own, ended at the next session's start", () => {
    const browser = new TrackedBrowser();
    browser.wait(5 * HOUR);
    browser.track();
    browser.track({ tab: "late", at: browser.now - 20 * MINUTE });
    expect(browser.story.slice(2)).toEqual([
      ["sessionStarted", 5 * HOUR - 20 * MINUTE],
      ["action", 5 * HOUR - 20 * MINUTE],
      ["sessionEnded", 5 * HOUR],
    ]);
    browser.track({ tab: "late", at: browser.now - 10 * MINUTE });
    expect(sessionOf(browser, "late-2")).toBe(sessionOf(browser, "late-1"));
  });

  test("a session of late activity that reaches beyond the visitor's merge ends as the person's", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(5 * HOUR);
    browser.told(leadOf("a"));
    browser.wait(HOUR);
    browser.track();
    browser.track({ tab: "late", at: NOON + 5 * HOUR - 10 * MINUTE });
    expect(browser.row("late-1").profile.kind).toBe("visitor");
    // The service rejects what a visitor sends of the time after its merge.
    expect(browser.rows.at(-1)).toMatchObject({
      id: `e-${sessionOf(browser, "late-1")}`,
      profile: { kind: "lead", id: "person-of-a" },
    });
  });

  test("late activity after everything ended is ended at once where it was due long ago", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(5 * HOUR);
    browser.track({ tab: "late", at: NOON + 2 * HOUR });
    expect(browser.story.slice(2)).toEqual([
      ["sessionEnded", 30 * MINUTE],
      ["sessionStarted", 2 * HOUR],
      ["action", 2 * HOUR],
      ["sessionEnded", 2 * HOUR + 30 * MINUTE],
    ]);
    expect(browser.record.session).toBeNull();
  });

  test("the last 20 sessions are remembered, with their profiles", () => {
    const browser = new TrackedBrowser();
    for (let count = 0; count < 22; count++) {
      browser.track();
      browser.wait(HOUR);
    }
    expect(browser.record.pastSessions).toHaveLength(20);
    browser.track({ tab: "late", at: NOON + 2 * HOUR + MINUTE });
    expect(sessionOf(browser, "late-1")).toBe(sessionOf(browser, "tab-3"));
  });

  test("late activity from before all that is remembered shares one session", () => {
    const browser = new TrackedBrowser();
    browser.wait(DAY);
    for (let count = 0; count < 22; count++) {
      browser.track();
      browser.wait(HOUR);
    }
    browser.track({ tab: "late", at: NOON });
    browser.track({ tab: "late", at: NOON + MINUTE });
    expect(sessionOf(browser, "late-2")).toBe(sessionOf(browser, "late-1"));
  });
});

describe("clocks that are ahead, behind or set", () => {
  test("a page's clock ahead of the host's counts as now", () => {
    const browser = new TrackedBrowser();
    browser.track({ at: browser.now + DAY });
    expect(browser.story.at(-1)).toEqual(["action", 0]);
  });

  test("a clock set back by up to 30 minutes: the activity joins at the latest time that was seen", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(10 * MINUTE);
    browser.track();
    browser.wait(-30 * MINUTE);
    browser.track();
    expect(browser.story.slice(1)).toEqual([
      ["action", 0],
      ["action", 10 * MINUTE],
      ["action", 10 * MINUTE],
    ]);
    expect(browser.record.session?.lastActivityAt).toBe(NOON + 10 * MINUTE);
  });

  test("a clock set back by more: the session ends when it was due, and a new one starts", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(-30 * MINUTE - 1);
    browser.track();
    expect(browser.story.slice(2)).toEqual([
      ["sessionEnded", 30 * MINUTE],
      ["sessionStarted", -30 * MINUTE - 1],
      ["action", -30 * MINUTE - 1],
    ]);
    browser.wait(MINUTE);
    browser.track();
    expect(browser.story.at(-1)).toEqual(["action", -29 * MINUTE - 1]);
    expect(sessionOf(browser, "tab-3")).toBe(sessionOf(browser, "tab-2"));
  });

  test("while the clock is a little behind, late activity still takes the session and profile of its own time", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.track();
    browser.wait(2 * HOUR);
    browser.told(userOf("b"));
    browser.track();
    browser.wait(-SECOND);
    browser.track({ tab: "late", at: NOON + MINUTE });
    expect(browser.row("late-1")).toMatchObject({
      sessionId: sessionOf(browser, "tab-2"),
      profile: { kind: "lead" },
    });
  });

  test("after the clock was set back, late activity of the remaining past still finds its session", () => {
    const browser = new TrackedBrowser();
    browser.track();
    browser.wait(2 * HOUR);
    browser.track();
    browser.wait(-HOUR);
    browser.track({ tab: "late", at: NOON + MINUTE });
    expect(sessionOf(browser, "late-1")).toBe(sessionOf(browser, "tab-1"));
    expect(browser.record.session).toBeNull();
  });

  test("a clock that was set ahead and back again forgets who was selected in the time ahead", () => {
    const browser = new TrackedBrowser();
    browser.told(leadOf("a"));
    browser.track();
    browser.wait(300 * DAY);
    browser.left("a");
    browser.track();
    browser.wait(-300 * DAY);
    // It was on its way for a moment.
    browser.track({ at: browser.now - 5 });
    expect(browser.rows.at(-1)?.profile).toEqual(browser.profile);
    browser.wait(46 * DAY);
    const visitor = browser.profile;
    browser.track();
    expect(browser.profile).not.toEqual(visitor);
  });
});
