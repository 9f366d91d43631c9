import { describe, expect, test } from "vitest";
import { commandsIn } from "../../../../src/core/commands/command-batch.js";
import { DAY, MINUTE, SECOND } from "../../../../src/protocol/wire.js";

const NOON = Date.UTC(2026, 0, 5, 12);
const track = (n: number, at: number) => ({ n, type: "track", eventId: "action", at });
const batch = (...ats: number[]): string =>
  JSON.stringify({
    generation: 0,
    sessionTimeoutMs: 30 * MINUTE,
    maxWaiting: 100,
    page: { url: "https://shop.example/", title: "Shop" },
    commands: ats.map((at, index) => track(index + 1, at)),
  });
const times = (text: string, calledAt?: number): number[] => commandsIn(text, calledAt).map(({ at }) => at);

describe("the times of a batch", () => {
  test("are the page's own where its clock agrees with the host's", () => {
    expect(times(batch(NOON, NOON + 40), NOON + 2 * SECOND)).toEqual([NOON, NOON + 40]);
    expect(times(batch(NOON), NOON - 10 * SECOND)).toEqual([NOON]);
  });

  test.each([400 * DAY, -400 * DAY, 11 * SECOND])(
    "are moved to the host's clock, with what lies between them, where the page's is off by %i ms",
    (offMs) => {
      expect(times(batch(NOON + offMs, NOON + offMs + 40), NOON)).toEqual([NOON, NOON + 40]);
    },
  );

  test("are what the batch says where nobody knows when it was called, as in a journal", () => {
    expect(times(batch(NOON - 400 * DAY))).toEqual([NOON - 400 * DAY]);
  });
});

test("the deadline of a batch counts from its first call, by the host's clock, whatever the page's shows", () => {
  for (const at of [NOON, NOON - 400 * DAY, NOON + 400 * DAY]) {
    expect(commandsIn(batch(at, at + 40), NOON).map(({ deadline }) => deadline)).toEqual([
      NOON + 9 * SECOND,
      NOON + 9 * SECOND,
    ]);
  }
  expect(commandsIn(batch(NOON))[0]).not.toHaveProperty("deadline");
});
