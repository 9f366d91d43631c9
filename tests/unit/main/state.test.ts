import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PeopleTrackingSDK } from "../../../src/main/index.js";
import type { TrackerState } from "../../../src/main/index.js";
import { idleState } from "./fake-host.js";
import type { FakePage } from "./fake-page.js";
import { settle } from "./fake-page.js";
import { leavePage, loadPage, using } from "./tracked-page.js";

let page: FakePage;
let sdk: PeopleTrackingSDK;
const say = async (waiting: number): Promise<void> => {
  page.host.say({
    peopleTracking: "state",
    generation: 0,
    state: { ...idleState, outbox: { waiting, rejected: 0 } },
  });
  await settle();
};

beforeEach(() => {
  page = loadPage();
  sdk = using(new PeopleTrackingSDK({ liveChat: null }));
});
afterEach(leavePage);

describe("a subscriber", () => {
  test("is called with the present state, then at each change", async () => {
    const early: (TrackerState | null)[] = [];
    sdk.subscribe((state) => early.push(state));
    expect(sdk.state).toBeNull();
    expect(early).toEqual([]);
    await sdk.init("key");
    expect(sdk.state).toEqual(idleState);
    const late: number[] = [];
    const stop = sdk.subscribe(({ outbox }) => late.push(outbox.waiting));
    await say(1);
    await say(1);
    await say(2);
    stop();
    await say(3);
    expect(late).toEqual([0, 1, 2]);
    expect(early).toHaveLength(4);
  });

  test("that throws does not keep others from being called", async () => {
    const error = new Error("mine");
    const seen = vi.fn<(state: TrackerState) => void>();
    sdk.subscribe(() => {
      throw error;
    });
    sdk.subscribe(seen);
    await sdk.init("key");
    expect(seen).toHaveBeenCalledOnce();
    expect(() => vi.advanceTimersByTime(0)).toThrow(error); // to the page, as an error of its own
  });

  test("is not called after close()", async () => {
    await sdk.init("key");
    const seen = vi.fn<(state: TrackerState) => void>();
    sdk.subscribe(seen);
    const { host } = page;
    sdk[Symbol.dispose]();
    host.say({ peopleTracking: "state", generation: 0, state: { ...idleState, optedOut: true } });
    await settle();
    expect(seen).toHaveBeenCalledOnce();
    expect(sdk.state).toBeNull();
  });
});

describe("the console", () => {
  test("in development the console can show the outbox", async () => {
    const table = vi.spyOn(console, "table").mockImplementation(() => {});
    await sdk.init("key");
    page.host.rows = [
      {
        seq: 1,
        id: "a-1",
        type: "event",
        state: "waiting",
        profile: idleState.profile!,
        occurredAt: "now",
        operation: {},
      },
    ];
    const { __PEOPLE_TRACKING__: development } = globalThis as unknown as {
      __PEOPLE_TRACKING__: { inspect(): Promise<unknown> };
    };
    expect(await development.inspect()).toEqual(page.host.rows);
    expect(table).toHaveBeenCalledExactlyOnceWith([
      expect.objectContaining({ seq: 1, profile: "visitor v1", state: "waiting" }),
    ]);
  });
});
