import { describe, expect, test } from "vitest";
import { plausibleInitAt, withHostTimes } from "../../../../src/core/commands/page-clock.js";
import { DAY, MINUTE, SECOND } from "../../../../src/protocol/wire.js";

const NOON = Date.UTC(2026, 0, 5, 12);
const requestAt = (at: number) => ({
  at,
  calledAt: NaN,
  liveChat: null,
  view: {
    pageId: "page",
    command: { type: "pageView", n: 1, at, sessionTimeoutMs: 30 * MINUTE, maxWaiting: 100 } as const,
  },
});

describe("the times of an init() request", () => {
  test("are the page's own where its clock agrees with the host's", () => {
    expect(withHostTimes(requestAt(NOON), NOON + 5 * SECOND)).toMatchObject({
      at: NOON,
      view: { command: { at: NOON } },
    });
  });

  test.each([400 * DAY, -400 * DAY])("are the host's where the page's clock is off by %i ms", (offMs) => {
    expect(withHostTimes(requestAt(NOON + offMs), NOON)).toMatchObject({
      at: NOON,
      view: { command: { at: NOON } },
    });
  });
});

describe("an init() of which the host read before the page knew its clocks", () => {
  test("was called when the page says, while its caller may still wait", () => {
    expect(plausibleInitAt(NOON - 19 * SECOND, NOON)).toBe(NOON - 19 * SECOND);
  });

  test("was called just now where the page's clock cannot be right", () => {
    expect(plausibleInitAt(NOON - MINUTE, NOON)).toBe(NOON);
    expect(plausibleInitAt(NOON + MINUTE, NOON)).toBe(NOON);
  });
});
