/** A page whose clock is not its host's: fake timers in a site's tests, a clock that stands still or was set. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PeopleTrackingSDK } from "../../../src/main/index.js";
import type { FakePage } from "./fake-page.js";
import { isSettled, pass, settle } from "./fake-page.js";
import { stubLocalStorage } from "./fake-storage.js";
import { PAGE, command, journal } from "./left-journal.js";
import { leavePage, loadPage, using } from "./tracked-page.js";

const SUCCESS = { success: true, data: null };
const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
let page: FakePage;

const start = async (): Promise<PeopleTrackingSDK> => {
  const sdk = using(new PeopleTrackingSDK({ liveChat: null, pageViews: "manual", namespace: "shop" }));
  expect(await sdk.init("key")).toEqual(SUCCESS);
  await vi.advanceTimersByTimeAsync(0); // journals are taken in a task later
  await settle();
  return sdk;
};
const stored = () => [...page.host.stored.values()];

beforeEach(() => {
  page = loadPage();
});
afterEach(leavePage);

describe("calls of a page whose clock is not its host's", () => {
  test.each([400 * DAY, -400 * DAY])("are stored by the host's clock, %i ms ahead", async (now) => {
    page.prepare = (host) => (host.ahead = { now, monotonic: 5000 });
    const sdk = await start();
    const calledAt = Date.now() + now;
    expect(await sdk.track("a")).toEqual(SUCCESS);
    expect(stored()).toMatchObject([{ at: calledAt, deadline: calledAt + 9 * SECOND }]);
  });

  test("are stored with the time that passed where it stands still", async () => {
    const sdk = await start();
    const frozenAt = Date.now();
    const frozen = vi.spyOn(Date, "now").mockReturnValue(frozenAt);
    // The host's goes on.
    const since = performance.now();
    vi.spyOn(page.host, "ahead", "get").mockImplementation(() => ({
      now: performance.now() - since,
      monotonic: 0,
    }));
    await pass(60 * SECOND);
    expect(await sdk.track("a")).toEqual(SUCCESS);
    frozen.mockRestore();
    expect(stored()).toMatchObject([{ at: frozenAt + 60 * SECOND }]);
  });

  test("have a deadline that counts from the call, with the time that the message waited for the host", async () => {
    const sdk = await start();
    const calledAt = performance.now();
    page.host.ahead = { now: 0, monotonic: 7000 };
    page.host.hello("again");
    await settle();
    void sdk.track("a");
    await settle();
    expect(page.host.asked("submit").at(-1)?.[2]).toBe(calledAt + 7000);
  });

  test("are sent to each host in its own time", async () => {
    const sdk = await start();
    page.host.silent.add("submit");
    const calledAt = performance.now();
    page.prepare = (host) => (host.ahead = { now: 0, monotonic: -3000 });
    const tracked = sdk.track("a");
    await pass(5 * SECOND);
    expect(await tracked).toEqual(SUCCESS);
    expect(page.hosts).toHaveLength(2);
    expect(page.host.asked("submit")).toMatchObject([
      [expect.anything(), expect.anything(), calledAt - 3000],
    ]);
  });

  test("are not reported as failed when a test advances the page's timers", async () => {
    const sdk = await start();
    page.host.silent.add("submit");
    page.prepare = (host) => host.silent.add("submit");
    // What the browser itself measures does not go with them.
    vi.stubGlobal(
      "MessageEvent",
      class extends Event {
        override readonly timeStamp = 0;
      },
    );
    const tracked = sdk.track("a");
    await pass(60 * SECOND);
    expect(await isSettled(tracked)).toBe(false);
    expect(page.hosts).toHaveLength(1);
  });
});

describe("an init() of a page whose clock is not its host's", () => {
  test("has the time of its call by the clock of the host that responds", async () => {
    page.prepare = (host) => host.silent.add("attach");
    const sdk = using(new PeopleTrackingSDK({ liveChat: null }));
    const calledAt = performance.now();
    const started = sdk.init("key");
    await pass(SECOND);
    page.host.silent.clear();
    page.host.ahead = { now: 0, monotonic: 4000 };
    page.host.hello("again");
    expect(await started).toEqual(SUCCESS);
    // The first request was posted as the host was opened.
    expect(page.host.inits.map((init) => init.calledAt)).toEqual([NaN, calledAt + 4000]);
  });

  test("does not give up a host when a test advances the page's timers", async () => {
    page.shared = "says nothing";
    const sdk = using(new PeopleTrackingSDK({ liveChat: null }));
    vi.stubGlobal(
      "MessageEvent",
      class extends Event {
        override readonly timeStamp = 0;
      },
    );
    const started = sdk.init("key");
    await pass(60 * SECOND);
    expect(page.hosts).toHaveLength(1);
    expect(await isSettled(started)).toBe(false);
  });
});

describe("a journal of a page whose clock is not its host's", () => {
  test("is written by the host's clock, which the page that finds it has", async () => {
    const local = stubLocalStorage();
    page.prepare = (host) => (host.ahead = { now: 400 * DAY, monotonic: 0 });
    const sdk = await start();
    page.host.silent.add("submit");
    const at = Date.now() + 400 * DAY;
    page.pagehide();
    void sdk.track("a");
    const [text] = Object.values(local.storage);
    expect(JSON.parse(text!)).toMatchObject({ at, batches: [{ commands: [{ n: 1, at }] }] });
  });

  test("is taken in by a page whose clock is far ahead, as young as it is", async () => {
    const local = stubLocalStorage();
    local.storage[`people-tracking:shop:journal:${PAGE}`] = journal({
      at: Date.now() - 400 * DAY,
      batches: [{ commands: [command(1)] }],
    });
    page.prepare = (host) => (host.ahead = { now: -400 * DAY, monotonic: 0 });
    await start();
    expect(page.host.asked("submit")).toHaveLength(1);
  });
});
