import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PeopleTrackingSDK } from "../../../src/main/index.js";
import type { Outcome, TrackingOptions } from "../../../src/main/index.js";
import type { CommandBatch, TrackCommand } from "../../../src/protocol/host.js";
import { FakePage, fakeTime, isSettled, pass, settle } from "./fake-page.js";

const SUCCESS = { success: true, data: null };
let page: FakePage;
let sdk: PeopleTrackingSDK;

const start = async (options: TrackingOptions = {}): Promise<void> => {
  sdk = new PeopleTrackingSDK({ liveChat: null, pageViews: "manual", ...options });
  expect(await sdk.init("key")).toEqual(SUCCESS);
};
/** The commands as they travelled, without their times. */
const sent = () => page.host.batches.flat().map(({ at: _, ...command }) => command);

beforeEach(() => {
  fakeTime();
  page = new FakePage();
});
afterEach(() => {
  sdk?.close();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  Reflect.deleteProperty(globalThis, Symbol.for("people-tracking-sdk"));
});

describe("calls", () => {
  test("of one task travel in one message, in order, numbered from 1", async () => {
    await start();
    const outcomes = Promise.all([
      sdk.track("action", { name: "a" }),
      sdk.updatePerson({ firstName: "Semi" }),
      sdk.appendToList("category", { name: "special" }),
      sdk.trackPageView({ title: "Basket" }),
    ]);
    expect(await outcomes).toEqual([SUCCESS, SUCCESS, SUCCESS, SUCCESS]);
    expect(page.host.batches).toHaveLength(1);
    expect(sent()).toEqual([
      {
        n: 1,
        type: "track",
        eventId: "action",
        properties: { name: "a" },
        page: { url: "https://shop.example/kites?colour=red", title: "Shop" },
      },
      { n: 2, type: "updatePerson", person: { firstName: "Semi" } },
      { n: 3, type: "appendToList", attribute: "category", item: { name: "special" } },
      {
        n: 4,
        type: "pageView",
        page: {
          url: "https://shop.example/kites?colour=red",
          title: "Basket",
          referrer: "https://search.example/",
        },
      },
    ]);
  });

  test("have their own time and a deadline before their timeout", async () => {
    await start();
    const at = Date.now();
    void sdk.track("a");
    await settle();
    expect([...page.host.stored.values()]).toMatchObject([{ at, deadline: at + 9000, generation: 0 }]);
  });

  test("of one task send once what they have in common", async () => {
    await start();
    await Promise.all([sdk.track("a"), sdk.track("b")]);
    const [[, batch, calledAt]] = page.host.asked("submit") as [[string, string, number]];
    const { commands, ...head } = JSON.parse(batch) as { commands: object[] };
    expect(calledAt).toBe(performance.now());
    expect(head).toEqual({
      generation: 0,
      sessionTimeoutMs: 1_800_000,
      deliveryDelayMs: 1_000,
      maxWaiting: 100_000,
      page: { url: "https://shop.example/kites?colour=red", title: "Shop" },
    });
    for (const command of commands)
      expect(Object.keys(command).toSorted()).toEqual(["at", "eventId", "n", "type"]);
  });

  test("of one task keep the page of their moment, and updates have none", async () => {
    await start();
    await Promise.all([
      sdk.updatePerson({ firstName: "Semi" }),
      sdk.track("a"),
      (page.navigate("https://shop.example/basket", "Basket"), sdk.track("b")),
      sdk.updatePerson({ lastName: "Holsen" }),
    ]);
    expect(sent()).toMatchObject([
      { n: 1, type: "updatePerson" },
      { n: 2, page: { url: "https://shop.example/kites?colour=red", title: "Shop" } },
      { n: 3, page: { url: "https://shop.example/basket", title: "Basket" } },
      { n: 4, type: "updatePerson" },
    ]);
    for (const n of [0, 3]) expect(sent()[n]).not.toHaveProperty("page");
  });

  test("are tracked on a page whose libraries gave lists a toJSON", async () => {
    const prototype = Array.prototype as { toJSON?: () => string };
    prototype.toJSON = function (this: unknown[]) {
      return `[${this.join()}]`;
    };
    try {
      await start();
      expect(await sdk.track("a", { tags: ["x", "y"] })).toEqual(SUCCESS);
      expect([...page.host.stored.values()]).toMatchObject([{ properties: { tags: ["x", "y"] } }]);
    } finally {
      delete prototype.toJSON;
    }
  });

  test("do not see what the caller changes afterwards", async () => {
    await start();
    const properties = { name: "before" };
    const tracked = sdk.track("action", properties);
    properties.name = "after";
    await tracked;
    expect(sent()).toMatchObject([{ properties: { name: "before" } }]);
  });

  test("have no properties where none were given", async () => {
    await start();
    await sdk.track("action");
    expect(sent()[0]).not.toHaveProperty("properties");
  });

  test("are refused at once, with the path of what cannot be carried", async () => {
    await start();
    const outcome = await sdk.track("action", { items: [1, 2, { price: 3n as unknown as number }] });
    expect(outcome).toEqual({
      success: false,
      error: {
        code: 2016,
        name: "SdkTrackError",
        message:
          "Error when calling track(). Cause: properties.items[2].price is a BigInt, which cannot be carried",
        origin: "fe-snippet",
        platform: "fe-snippet",
      },
    });
    const person = await sdk.updatePerson({ tags: [Symbol("a") as unknown as string] });
    expect(person).toMatchObject({
      error: { code: 2017, message: expect.stringContaining("person.tags[0]") },
    });
    const item = await sdk.appendToList("a", { b: (() => {}) as unknown as string });
    expect(item).toMatchObject({ error: { code: 2019, message: expect.stringContaining("item.b") } });
    const view = await sdk.trackPageView({ title: 1 as unknown as string });
    expect(view).toMatchObject({ error: { code: 2102, message: expect.stringContaining("page.title") } });
    expect(page.host.batches).toEqual([]);
  });

  test("succeed beside one that the host refuses", async () => {
    await start();
    const error = {
      code: 2016,
      name: "SdkTrackError",
      message: "no",
      origin: "worker",
      platform: "fe-snippet",
    };
    page.host.refuse = (command) => ((command as TrackCommand).eventId === "bad" ? error : undefined);
    const outcomes = await Promise.all([sdk.track("good"), sdk.track("bad"), sdk.track("good")]);
    expect(outcomes).toEqual([SUCCESS, { success: false, error }, SUCCESS]);
  });

  test("answer 2015 before init()", async () => {
    sdk = new PeopleTrackingSDK({ liveChat: null });
    const outcomes = await Promise.all([
      sdk.track("a"),
      sdk.trackPageView(),
      sdk.updatePerson({}),
      sdk.appendToList("a", {}),
      sdk.flush(),
      sdk.inspect(),
      sdk.retryRejected(),
      sdk.discardRejected(),
      sdk.optOut(),
      sdk.optIn(),
      sdk.eraseLocalData(),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ success: false, error: { code: 2015 } });
    }
    expect(page.hosts).toEqual([]);
  });

  test("wait for init() and keep their own time", async () => {
    sdk = new PeopleTrackingSDK({ liveChat: null });
    page.prepare = (host) => host.silent.add("attach");
    const started = sdk.init("key");
    await pass(1000);
    const at = Date.now();
    const tracked = sdk.track("a");
    await pass(1000);
    expect(page.host.batches).toEqual([]);
    page.host.silent.clear();
    page.host.hello("again");
    expect(await started).toEqual(SUCCESS);
    expect(await tracked).toEqual(SUCCESS);
    expect([...page.host.stored.values()]).toMatchObject([
      { n: 1, type: "pageView", at: at - 1000 },
      { n: 2, type: "track", at },
    ]);
  });

  test("answer 2015 after an init() that failed", async () => {
    sdk = new PeopleTrackingSDK({ liveChat: null });
    const error = {
      code: 2018,
      name: "MissingAuthorizationTokenError",
      message: "no",
      origin: "worker",
      platform: "fe-snippet",
    };
    page.prepare = (host) => (host.initAnswer = { success: false, error });
    const started = sdk.init("key");
    const outcomes = Promise.all([sdk.track("a"), sdk.flush(), sdk.optOut()]);
    expect(await started).toEqual({ success: false, error });
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ error: { code: 2015 } });
    expect(page.host.batches).toEqual([]);
  });

  test("have an outcome within 10 s though no host responds", async () => {
    await start();
    page.prepare = (host) => host.silent.add("submit");
    page.host.silent.add("submit");
    const tracked = sdk.track("a");
    await pass(9750);
    expect(await isSettled(tracked)).toBe(false);
    await pass(500);
    expect(await tracked).toMatchObject({
      error: { code: 2016, message: expect.stringContaining("did not answer in time") },
    });
  });

  test("have an outcome within 10 s though they waited for init()", async () => {
    page.prepare = (host) => {
      host.silent.add("attach");
      host.silent.add("submit");
    };
    sdk = new PeopleTrackingSDK({ liveChat: null, pageViews: "manual" });
    const started = sdk.init("key");
    const tracked = sdk.track("a");
    await pass(4000);
    // Its page comes back from the back-forward cache, and is answered.
    page.host.silent.delete("attach");
    page.comesBack();
    expect(await started).toEqual(SUCCESS);
    await pass(6250);
    expect(await isSettled(tracked)).toBe(true);
    expect(await tracked).toMatchObject({ error: { code: 2016 } });
  });

  test("to flush, inspect and retry pass through, after those before them", async () => {
    await start();
    void sdk.track("a");
    const until = performance.now() + 500;
    expect(await sdk.flush({ timeoutMs: 500 })).toEqual({ success: true, data: { waiting: 0 } });
    expect(page.host.calls.map(([method]) => method).slice(-2)).toEqual(["submit", "flush"]);
    expect(page.host.asked("flush")).toEqual([[until]]);
    await sdk.inspect({ state: "rejected", after: 3, limit: 2 });
    expect(page.host.asked("inspect")).toEqual([[{ state: "rejected", after: 3, limit: 2 }]]);
    expect(await sdk.retryRejected(["a-1"])).toEqual({ success: true, data: { requeued: 1 } });
    expect(await sdk.discardRejected()).toEqual({ success: true, data: { discarded: 1 } });
    expect(page.host.asked("retryRejected")).toEqual([[["a-1"]]]);
    await sdk.optOut();
    await sdk.optIn();
    expect(page.host.asked("setConsent")).toEqual([["out"], ["in"]]);
    expect(await sdk.eraseLocalData()).toEqual(SUCCESS);
  });

  test.each<[string, (sdk: PeopleTrackingSDK) => Promise<unknown>]>([
    ["flush", (given) => given.flush({ timeoutMs: -1 })],
    ["flush", (given) => given.flush({ timeoutMs: "soon" as unknown as number })],
    ["inspect", (given) => given.inspect({ limit: Number.NaN })],
    ["retryRejected", (given) => given.retryRejected([(() => {}) as unknown as string])],
  ])("to %s are refused for arguments that cannot be used: %#", async (_, call) => {
    await start();
    expect(await call(sdk)).toMatchObject({ success: false, error: { code: 2102 } });
  });

  test("have the erase generation that the host reported last", async () => {
    await start();
    page.host.say({ peopleTracking: "state", generation: 4, state: sdk.state! });
    await settle();
    await sdk.track("a");
    expect([...page.host.stored.values()]).toMatchObject([{ generation: 4 }]);
  });

  test("answer 2015 after close(), which detaches from the host", async () => {
    await start();
    const { host } = page;
    const last = sdk.track("last");
    sdk.close();
    expect(await last).toEqual(SUCCESS);
    expect(await sdk.track("a")).toMatchObject({ error: { code: 2015 } });
    expect(await sdk.init("key")).toMatchObject({ error: { code: 2015 } });
    await settle();
    expect(host.asked("detach")).toHaveLength(1);
    expect(host.closed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

const cause = (outcome: Outcome) => !outcome.success && [outcome.error.code, outcome.error.message];
/** As a page's own script can, for the batch that begins with this event. */
const refuseToWrite = (eventId: string): void => {
  const original = JSON.stringify;
  vi.spyOn(JSON, "stringify").mockImplementation((value, ...rest) => {
    const [first] = (value as Partial<CommandBatch> | null)?.commands ?? [];
    if (first?.type === "track" && first.eventId === eventId) throw new TypeError("patched");
    return original(value, ...(rest as []));
  });
};

describe("a batch that cannot be handed over", () => {
  test("settles each of its calls with its own error and the cause", async () => {
    await start();
    refuseToWrite("a");
    const failed = await Promise.all([
      sdk.track("a"),
      sdk.updatePerson({ firstName: "Semi" }),
      sdk.appendToList("category", { name: "special" }),
      sdk.trackPageView(),
    ]);
    expect(failed.map(cause)).toEqual([
      [2016, expect.stringContaining("patched")],
      [2017, expect.stringContaining("patched")],
      [2019, expect.stringContaining("patched")],
      [2101, expect.stringContaining("patched")],
    ]);
    expect(await sdk.track("b")).toEqual(SUCCESS);
    expect(sent()).toMatchObject([{ n: 5, eventId: "b" }]);
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("does not stop others that waited for init() with it", async () => {
    sdk = new PeopleTrackingSDK({ liveChat: null, pageViews: "manual" });
    const started = sdk.init("key");
    const first = sdk.track("a");
    await Promise.resolve();
    const second = sdk.track("b");
    await Promise.resolve();
    refuseToWrite("a");
    expect(await started).toEqual(SUCCESS);
    expect(cause(await first)).toEqual([2016, expect.stringContaining("patched")]);
    expect(await second).toEqual(SUCCESS);
  });

  test("fails alone where the port refuses it", async () => {
    await start();
    const post = vi.spyOn(MessagePort.prototype, "postMessage").mockImplementationOnce(() => {
      throw new DOMException("could not be cloned", "DataCloneError");
    });
    expect(cause(await sdk.track("a"))).toEqual([2016, expect.stringContaining("cloned")]);
    post.mockImplementationOnce(() => {
      throw new DOMException("could not be cloned", "DataCloneError");
    });
    expect(cause((await sdk.inspect()) as Outcome)).toEqual([2101, expect.stringContaining("cloned")]);
    expect(await sdk.track("b")).toEqual(SUCCESS);
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
