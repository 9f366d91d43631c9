/** A command past its deadline is undecided: its caller was told so, and a journal may still hold it without one. */
import { describe, expect, test } from "vitest";
import { MINUTE } from "../../../../src/protocol/wire.js";
import { TrackedBrowser } from "../tracked-browser.js";

describe("a command past its deadline", () => {
  test("what came too late is stored when a journal brings it without its deadline, and then once", () => {
    const browser = new TrackedBrowser();
    const command = browser.stamped("tab", {
      type: "track",
      eventId: "action",
      sessionTimeoutMs: MINUTE,
      maxWaiting: 100,
    });
    const late = { ...command, deadline: 0 };
    expect(browser.submit("tab", [late])).toMatchObject([{ error: { code: 2016 }, undecided: true }]);
    expect(browser.submit("tab", [late])).toMatchObject([{ undecided: true }]);
    expect(browser.submit("tab", [command])).toEqual([{ n: command.n }]);
    expect(browser.submit("tab", [command, late])).toEqual([{ n: command.n }, { n: command.n }]);
  });
});
