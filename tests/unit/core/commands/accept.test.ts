/** Calls and their codes, acceptance exactly once, consent and erasing. */
import { describe, expect, test } from "vitest";
import { commandError } from "../../../../src/core/commands/accept.js";
import { MINUTE } from "../../../../src/protocol/wire.js";
import { NOON, TrackedBrowser, leadOf } from "../tracked-browser.js";

const lead = (): TrackedBrowser => {
  const browser = new TrackedBrowser();
  browser.told(leadOf("a"), { tab: "chat" });
  return browser;
};
/** One call of each kind, as a lead may make it. */
const CALLS = {
  track: (browser: TrackedBrowser, given = {}) => browser.track(given),
  pageView: (browser: TrackedBrowser, given = {}) => browser.pageView(given),
  updatePerson: (browser: TrackedBrowser, given = {}) => browser.updatePerson(given),
  appendToList: (browser: TrackedBrowser, given = {}) => browser.appendToList(given),
};
const CODES = {
  track: [2016, "SdkTrackError", "Error when calling track(). Cause: "],
  pageView: [2016, "SdkTrackError", "Error when calling track(). Cause: "],
  updatePerson: [2017, "PeopleUpdateError", "Error when calling updatePerson(). Cause: "],
  appendToList: [2019, "AppendToListError", "Error when calling appendToList(). Cause: "],
} as const;
const KINDS = Object.keys(CALLS) as (keyof typeof CALLS)[];

const refusal = (kind: keyof typeof CALLS, cause: string) => {
  const [code, name, message] = CODES[kind];
  return { code, name, message: message + cause, origin: "worker", platform: "fe-snippet" };
};

describe("accepting a command", () => {
  test.each(KINDS)("%s: an accepted command makes its own row, whose id is page and number", (kind) => {
    const browser = lead();
    expect(CALLS[kind](browser)).toEqual({ n: 1 });
    expect(browser.ids.filter((id) => id.startsWith("tab-"))).toEqual(["tab-1"]);
  });

  test("an event's row is what goes over the wire", () => {
    const browser = lead();
    browser.submit("tab", [
      browser.stamped("tab", {
        type: "track",
        eventId: "action",
        properties: { name: "Button clicked", label: "add-to-favorites" },
        page: { url: "https://shop.test/", title: "Shop" },
        sessionTimeoutMs: MINUTE,
        maxWaiting: 10,
      }),
    ]);
    const { id: sessionId } = browser.record.session!;
    expect(browser.row("tab-1")).toEqual({
      seq: 2,
      id: "tab-1",
      type: "event",
      state: "waiting",
      profile: { kind: "lead", id: "person-of-a" },
      sessionId,
      occurredAt: "2026-03-01T12:00:00.000Z",
      operation: {
        id: "tab-1",
        type: "event",
        occurredAt: "2026-03-01T12:00:00.000Z",
        sessionId,
        definitionId: "action",
        properties: { name: "Button clicked", label: "add-to-favorites" },
        page: { url: "https://shop.test/", title: "Shop" },
      },
    });
  });

  test("a page view carries the page as its properties, and none where the site redacted all of it", () => {
    const browser = lead();
    const page = { url: "https://shop.test/", title: "Shop", referrer: "" };
    browser.pageView({ page });
    browser.pageView();
    browser.pageView({ page: {} });
    expect(browser.row("tab-1").operation).toMatchObject({ definitionId: "pageView", properties: page });
    expect(browser.row("tab-2").operation).not.toHaveProperty("properties");
    expect(browser.row("tab-3").operation).not.toHaveProperty("properties");
  });

  test("updates carry the person and the list's item", () => {
    const browser = lead();
    browser.updatePerson();
    browser.appendToList();
    expect(browser.rows.map(({ operation }) => operation)).toEqual([
      {
        id: "tab-1",
        type: "person.update",
        occurredAt: new Date(NOON).toISOString(),
        person: { firstName: "Semi" },
      },
      {
        id: "tab-2",
        type: "list.append",
        occurredAt: new Date(NOON).toISOString(),
        attribute: "category",
        item: { name: "special" },
      },
    ]);
  });
});

describe("a command that is refused", () => {
  test.each(KINDS)("%s: past its deadline a command is refused, up to it not", (kind) => {
    const browser = lead();
    expect(CALLS[kind](browser, { deadline: browser.now }).error).toBeUndefined();
    expect(CALLS[kind](browser, { deadline: browser.now - 1 }).error).toEqual(
      refusal(kind, "it reached the tracker's host too late to be stored"),
    );
  });

  test.each(KINDS)(
    "%s: opted out, the call answers its own code and the cause, and nothing is stored",
    (kind) => {
      const browser = lead();
      browser.setConsent("out");
      expect(CALLS[kind](browser).error).toEqual(refusal(kind, "tracking is opted out"));
      expect(browser.rows).toEqual([]);
      browser.setConsent("in");
      expect(CALLS[kind](browser).error).toBeUndefined();
    },
  );
});

describe("erasing", () => {
  test.each(KINDS)("%s: what an erase came between is refused, journals included", (kind) => {
    const browser = lead();
    browser.erase();
    const { record } = browser;
    expect(CALLS[kind](browser, { generation: 0 }).error).toEqual(
      refusal(kind, "this browser's tracking data was erased in the meantime"),
    );
    expect(browser.rows).toEqual([]);
    expect(browser.record).toEqual(record);
  });

  test("what a page journaled that left before any host answered is taken, in a browser that never erased", () => {
    const browser = new TrackedBrowser();
    const unheard = { tab: "left", generation: 0 };
    expect(browser.pageView(unheard).error).toBeUndefined();
    browser.erase();
    expect(browser.pageView(unheard).error?.message).toContain("was erased in the meantime");
  });

  test("a Live Chat report from before an erase selects nobody", () => {
    const browser = new TrackedBrowser();
    browser.init();
    browser.erase();
    expect(browser.told(leadOf("b"), { generation: 0 }).error?.code).toBe(2102);
    expect(browser.profile?.kind).toBe("visitor");
  });

  test("an erase retires the Live Chat session, keeps consent and numbering, and makes a new visitor", () => {
    const browser = lead();
    browser.track();
    browser.setConsent("in");
    const { nextSeq } = browser.record;
    browser.erase();
    expect(browser.record).toMatchObject({ consent: "in", generation: 1, nextSeq, session: null });
    browser.told(leadOf("a"), { tab: "other" });
    expect(browser.profile?.kind).toBe("visitor");
    browser.track();
    expect(browser.rows.map(({ seq }) => seq)).toEqual([nextSeq, nextSeq + 1]);
  });
});

describe("a full outbox", () => {
  test.each(KINDS)("%s: a full outbox refuses, by the limit of the tab that calls", (kind) => {
    const browser = lead();
    browser.track();
    expect(CALLS[kind](browser, { maxWaiting: 2 }).error).toEqual(
      refusal(kind, "the outbox is full: 2 operations wait or were rejected (maxWaiting is 2)"),
    );
    expect(CALLS[kind](browser, { maxWaiting: 3 }).error).toBeUndefined();
  });

  test("a full outbox never refuses starts, ends and merges", () => {
    const browser = new TrackedBrowser();
    browser.track({ maxWaiting: 1 });
    browser.told(leadOf("a"));
    browser.left("a");
    expect(browser.story.map(([event]) => event)).toEqual([
      "sessionStarted",
      "action",
      "profile.merge",
      "sessionEnded",
    ]);
  });
});

describe("a group of commands", () => {
  test("a Live Chat report is taken while opted out and past its deadline: it is sent once", () => {
    const browser = new TrackedBrowser();
    browser.setConsent("out");
    expect(browser.told(leadOf("a"), { deadline: NOON - MINUTE }).error).toBeUndefined();
    expect(browser.profile?.kind).toBe("lead");
  });

  test("a refused command leaves its group alone: the others commit, each answered in its place", () => {
    const browser = lead();
    const commands = [1, 2, 3].map((index) =>
      browser.stamped("tab", {
        type: "track",
        eventId: "action",
        sessionTimeoutMs: MINUTE,
        maxWaiting: 100,
        ...(index === 2 && { deadline: 0 }),
      }),
    );
    const answers = browser.submit("tab", commands);
    expect(answers.map(({ n, error }) => [n, error?.code])).toEqual([
      [1, undefined],
      [2, 2016],
      [3, undefined],
    ]);
    expect(browser.ids.slice(1)).toEqual(["tab-1", "tab-3"]);
  });

  test("what validation refused is processed with the rest and stays refused", () => {
    const browser = lead();
    const command = browser.stamped("tab", {
      type: "track",
      eventId: "unknown",
      sessionTimeoutMs: MINUTE,
      maxWaiting: 100,
    });
    const error = commandError(command, "no event is defined with the id unknown");
    expect(browser.submit("tab", [command], new Map([[1, error]]))).toEqual([{ n: 1, error }]);
    expect(browser.submit("tab", [command])).toEqual([{ n: 1, error }]);
    expect(browser.rows).toEqual([]);
  });

  test("numbers sent again are answered again and change nothing, also once their rows are gone", () => {
    const browser = lead();
    const command = (given = {}) =>
      browser.stamped("tab", {
        type: "track",
        eventId: "action",
        sessionTimeoutMs: 30 * MINUTE,
        maxWaiting: 2,
        ...given,
      });
    const commands = [command(), command(), command()];
    const first = browser.submit("tab", commands);
    expect(first.map(({ error }) => error?.code)).toEqual([undefined, 2016, 2016]);
    browser.rows = [];
    const { record } = browser;
    browser.wait(MINUTE);
    expect(browser.submit("tab", commands)).toEqual(first);
    expect(browser.record).toEqual(record);
    expect(browser.rows).toEqual([]);
  });

  test("the same number twice in one transaction makes one row", () => {
    const browser = lead();
    const command = browser.stamped("tab", {
      type: "track",
      eventId: "action",
      sessionTimeoutMs: MINUTE,
      maxWaiting: 100,
    });
    const group = { pageId: "tab", commands: [command], invalid: new Map() };
    expect(browser.submitGroups([group, group])).toEqual([[{ n: 1 }], [{ n: 1 }]]);
    expect(browser.ids.slice(1)).toEqual(["tab-1"]);
  });

  test("pages number their calls on their own", () => {
    const browser = lead();
    browser.track({ tab: "one" });
    browser.track({ tab: "two" });
    expect(browser.ids.slice(1)).toEqual(["one-1", "two-1"]);
  });

  test("a transaction that accepts nothing still notices that the session is over", () => {
    const browser = lead();
    browser.track();
    browser.wait(31 * MINUTE);
    browser.submitGroups([]);
    expect(browser.story.at(-1)).toEqual(["sessionEnded", 30 * MINUTE]);
  });
});
