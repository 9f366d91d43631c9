/** Calls of a stream share transactions; neither a lone call nor a loop that awaits each one waits for others. */
import { describe, expect, test } from "vitest";
import { HOLD_MS, STREAM_CALLS, StreamPace } from "../../../../src/core/commands/stream-pace.js";
import { SECOND } from "../../../../src/protocol/wire.js";
import type { TestHost } from "../../../support/world.js";
import { World } from "../../../support/world.js";

const calm = async () => {
  const all = await World.withHost({ storeDelayMs: 3 });
  await all.world.time.advance(10 * SECOND);
  all.world.commits = 0;
  return all;
};

const submit = (host: TestHost) => host.submitEvents(1, "page", { deliveryDelayMs: 60 * SECOND });

/** One call each 20 ms, which nobody awaits. @returns how long each took to be stored */
const stream = async (host: TestHost, count: number): Promise<number[]> => {
  const { time } = host.world;
  const took: number[] = [];
  for (let n = 0; n < count; n++) {
    const calledAt = time.now;
    void submit(host).then(() => took.push(time.now - calledAt));
    await time.advance(20);
  }
  await time.advance(SECOND);
  return took;
};

describe("a transaction", () => {
  test("stores several calls of a stream, each a moment later than alone", async () => {
    const { world, host } = await calm();
    const took = await stream(host, 100);
    expect(took).toHaveLength(100);
    expect(Math.max(...took)).toBeLessThanOrEqual(HOLD_MS + 10);
    expect(world.commits).toBeLessThan(60);
  });

  test("does not wait for others where calls are far apart", async () => {
    const { world, host } = await calm();
    for (let n = 0; n < 30; n++) {
      const calledAt = world.time.now;
      await world.time.wait(submit(host));
      expect(world.time.now - calledAt).toBeLessThan(HOLD_MS);
      await world.time.advance(100);
    }
  });

  test.each([
    ["at once", 0],
    ["after 20 ms of work", 20],
  ])("does not slow down a loop that awaits each call and makes the next one %s", async (_, workMs) => {
    const { world, host } = await calm();
    const startedAt = world.time.now;
    for (let n = 0; n < 200; n++) {
      await world.time.wait(submit(host));
      if (workMs > 0) await world.time.advance(workMs);
    }
    // One wait in vain at most.
    expect(world.time.now - startedAt).toBeLessThanOrEqual(200 * (workMs + 4) + HOLD_MS);
  });

  test.each<[string, (host: TestHost) => Promise<unknown>]>([
    ["a flush", (host) => host.tracker.flush(0)],
    ["an opt-out", (host) => host.tracker.setConsent("out")],
    ["the last page's leaving", (host) => host.tracker.setInBackground(true)],
    ["a merge", (host) => host.liveChat({ id: "chat", kind: "lead", personId: "anna", token: "t" })],
  ])("that waits for more begins at once with %s, and has what was called before", async (_, urge) => {
    const { world, host } = await calm();
    await stream(host, 2 * STREAM_CALLS);
    for (let n = 0; n < STREAM_CALLS; n++) {
      void submit(host);
      await world.time.advance(n < STREAM_CALLS - 1 ? 20 : 1);
    }
    const answers = submit(host);
    const askedAt = world.time.now;
    void urge(host);
    expect(await world.time.wait(answers)).toEqual([
      expect.not.objectContaining({ error: expect.anything() }),
    ]);
    expect(world.time.now - askedAt).toBeLessThan(HOLD_MS / 2);
  });
});

describe("the pace of a stream", () => {
  test("pauses longer after each wait in vain, and starts anew once calls came", () => {
    const pace = new StreamPace();
    let now = 0;
    const callsUntilWait = (): number => {
      for (let calls = 1; calls < 100_000; calls++) {
        now += 20;
        pace.called(now);
        if (pace.waits(now)) return calls;
      }
      return Infinity;
    };
    expect(callsUntilWait()).toBe(STREAM_CALLS);
    pace.waited(0);
    expect(callsUntilWait()).toBe(256);
    pace.waited(0);
    expect(callsUntilWait()).toBe(512);
    pace.waited(2);
    expect(callsUntilWait()).toBe(1);
    pace.waited(0);
    expect(callsUntilWait()).toBe(256);
  });
});
