import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PeopleTrackingSDK } from "../../../src/main/index.js";
import type { TrackingOptions } from "../../../src/main/index.js";
import { sharedNameOfWorker } from "../../../src/protocol/names.js";
import type { FakePage } from "./fake-page.js";
import { isSettled, pass, settle } from "./fake-page.js";
import { leavePage, loadPage, using } from "./tracked-page.js";

const SUCCESS = { success: true, data: null };
let page: FakePage;
const make = (options: TrackingOptions = {}) =>
  using(new PeopleTrackingSDK({ liveChat: null, pageViews: "manual", ...options }));
const hostKinds = () =>
  page.hosts.flatMap(({ kind, calls }) => calls.flatMap(([method]) => (method === "attach" ? [kind] : [])));

vi.mock("../../../src/worker/page-host.js", () => ({
  startPageHost: (port: MessagePort) => page.serve("page", "in page", port),
}));

beforeEach(() => (page = loadPage()));
afterEach(leavePage);

describe("host selection", () => {
  test("takes the shared worker first", async () => {
    expect(await make().init("key")).toEqual(SUCCESS);
    expect(hostKinds()).toEqual(["shared"]);
  });

  test("gives a worker a name that tells the names of its namespace", async () => {
    await make({ namespace: "shop" }).init("key");
    expect(sharedNameOfWorker(page.host.name)).toBe("people-tracking:shop");
  });

  test.each(["refuses", "is missing", "says nothing"] as const)(
    "takes a dedicated worker where the shared one %s",
    async (script) => {
      page.shared = script;
      const started = make().init("key");
      await pass(3250);
      expect(await started).toEqual(SUCCESS);
      expect(hostKinds()).toEqual(["dedicated"]);
    },
  );

  test("takes the page itself where workers are forbidden", async () => {
    page.shared = page.dedicated = "refuses";
    const started = make().init("key");
    await pass(250);
    expect(await started).toEqual(SUCCESS);
    expect(hostKinds()).toEqual(["page"]);
  });

  test.each(["shared", "dedicated", "page"] as const)(
    "takes the kind that the option host: %s names",
    async (host) => {
      const sdk = make({ host });
      expect(await sdk.init("key")).toEqual(SUCCESS);
      expect(await sdk.track("a")).toEqual(SUCCESS);
      expect(hostKinds()).toEqual([host]);
      expect(sdk.state).toMatchObject({ host });
    },
  );

  test("is not disturbed by the late error of a host that was given up", async () => {
    page.shared = "says nothing";
    page.prepare = () => {
      const [given, next] = page.workers;
      if (next) queueMicrotask(() => given!.dispatchEvent(new Event("error")));
    };
    const started = make().init("key");
    await pass(3250);
    expect(hostKinds()).toEqual(["dedicated"]);
    expect(await isSettled(started)).toBe(true);
  });

  test("reports in the outcome of init() why no host is available", async () => {
    page.shared = "refuses";
    const started = make({ host: "shared" }).init("key");
    await pass(250);
    expect(await started).toMatchObject({
      error: { code: 2101, message: expect.stringContaining("its script did not load") },
    });
  });

  test("passes over a host of another version, with its reason", async () => {
    const error = {
      code: 2101,
      name: "NoAnswerError",
      message: "other version",
      origin: "worker",
      platform: "fe-snippet",
    };
    page.prepare = (host) => (host.attachAnswer = { ok: false, error });
    expect(await make({ host: "dedicated" }).init("key")).toEqual({ success: false, error });
  });

  test("opens the worker at the site's own URL", async () => {
    await make({ workerUrl: "/static/worker.js" }).init("key");
    expect(page.workerUrls).toEqual(["https://shop.example/static/worker.js"]);
  });

  test("opens the worker at a trusted URL where Trusted Types are required", async () => {
    type Policy = { createScriptURL(url: string): unknown };
    const createPolicy = vi.fn<(name: string, rules: Policy) => Policy>((_name, rules) => ({
      createScriptURL: (url: string) => `trusted ${rules.createScriptURL(url) as string}`,
    }));
    vi.stubGlobal("trustedTypes", { createPolicy });
    vi.resetModules();
    const fresh = await import("../../../src/main/index.js");
    for (const key of ["a", "b"]) {
      await using(new fresh.PeopleTrackingSDK({ liveChat: null, workerUrl: "/worker.js" })).init(key);
    }
    expect(page.workerUrls).toEqual(Array(2).fill("trusted https://shop.example/worker.js"));
    expect(createPolicy).toHaveBeenCalledOnce();
  });
});

describe("a host", () => {
  test("is abandoned when it stops responding, and the next one gets the same commands", async () => {
    const sdk = make();
    await sdk.init("key");
    const dead = page.host;
    dead.silent.add("submit");
    const outcomes = Promise.all([sdk.track("a"), sdk.track("b")]);
    await settle();
    const later = sdk.track("c");
    await pass(3250);
    expect(await outcomes).toEqual([SUCCESS, SUCCESS]);
    expect(await later).toEqual(SUCCESS);
    expect(page.hosts).toHaveLength(2);
    expect(page.host.name).toBe(dead.name.replace(/:0$/, ":1"));
    expect(page.host.batches).toEqual(dead.batches);
    expect(page.host.calls.map(([method]) => method)).toEqual(["attach", "submit", "submit"]);
    expect(dead.closed).toBe(true);
  });

  test("keeps a call pending that it may yet store and the next host could not decide", async () => {
    const sdk = make();
    await sdk.init("key");
    page.host.silent.add("submit");
    page.prepare = (host) => {
      host.undecided = true;
      host.refuse = () => ({ code: 2016, name: "E", message: "m", origin: "worker", platform: "p" });
    };
    const outcome = sdk.track("a");
    await pass(3250);
    expect(page.hosts).toHaveLength(2);
    expect(page.host.asked("submit")).toHaveLength(1);
    expect(await isSettled(outcome)).toBe(false);
    page.host.refuse = () => undefined;
    await pass(5000);
    expect(await outcome).toEqual(SUCCESS);
  });

  test("gets all pending requests again when its script ran again on the same port", async () => {
    const sdk = make();
    await sdk.init("key");
    page.host.silent.add("submit");
    const outcome = sdk.track("a");
    await settle();
    page.host.silent.clear();
    page.host.hello("second");
    expect(await outcome).toEqual(SUCCESS);
    expect(page.hosts).toHaveLength(1);
    expect(page.host.calls.map(([method]) => method)).toEqual(["attach", "submit", "attach", "submit"]);
    expect(page.host.batches[1]).toEqual(page.host.batches[0]);
  });

  test("may say hello twice", async () => {
    const sdk = make();
    await sdk.init("key");
    page.host.hello("first");
    await settle();
    expect(page.host.asked("attach")).toHaveLength(1);
  });

  test("is not abandoned while it is busy but responds", async () => {
    const sdk = make();
    await sdk.init("key");
    page.host.silent.add("flush");
    void sdk.flush({ timeoutMs: 8000 });
    for (let second = 0; second < 8; second++) {
      await sdk.track("a");
      await pass(1000);
    }
    expect(page.hosts).toHaveLength(1);
  });

  test("is watched by one timer for all pending calls, which ends with the last response", async () => {
    const sdk = make();
    await sdk.init("key");
    await pass(1000);
    for (let call = 0; call < 20; call++) {
      await sdk.track("a");
      expect(vi.getTimerCount()).toBe(0);
    }
    page.host.silent.add("submit");
    for (let call = 0; call < 20; call++) {
      void sdk.track("b");
      await settle();
    }
    expect(vi.getTimerCount()).toBe(1);
  });

  test("has the same time to respond to each call", async () => {
    const sdk = make();
    await sdk.init("key");
    await sdk.track("a");
    await pass(2000);
    page.host.silent.add("submit");
    void sdk.track("b");
    await pass(2750);
    expect(page.hosts).toHaveLength(1);
    await pass(500);
    expect(page.hosts).toHaveLength(2);
  });

  test("is replaced without an end of subscriptions", async () => {
    const sdk = make();
    await sdk.init("key");
    const seen: number[] = [];
    sdk.subscribe(({ outbox }) => seen.push(outbox.waiting));
    page.prepare = (host) => {
      host.attachAnswer = {
        ok: true,
        generation: 0,
        state: { ...sdk.state!, outbox: { waiting: 7, rejected: 0 } },
      };
    };
    page.host.silent.add("signal");
    page.window.dispatchEvent(new Event("online"));
    await pass(3250);
    page.host.say({ peopleTracking: "state", generation: 0, state: { ...sdk.state!, optedOut: true } });
    await settle();
    expect(page.hosts).toHaveLength(2);
    expect(seen).toEqual([0, 7, 7]);
  });
});

describe("a page", () => {
  test("passes on to the host the events that only pages get", async () => {
    await make().init("key");
    page.window.dispatchEvent(new Event("offline"));
    page.window.dispatchEvent(new Event("online"));
    page.window.dispatchEvent(new Event("visibilitychange"));
    page.document.visibilityState = "hidden";
    page.window.dispatchEvent(new Event("visibilitychange"));
    await settle();
    expect(page.host.asked("signal").flat()).toEqual(["offline", "online", "visible", "hidden"]);
  });

  test("detaches from the host when it goes, and attaches again when it comes back", async () => {
    const sdk = make();
    await sdk.init("key");
    void sdk.track("last");
    page.pagehide();
    await settle();
    expect(page.host.calls.slice(-2).map(([method]) => method)).toEqual(["submit", "detach"]);
    page.comesBack();
    expect(await sdk.track("again")).toEqual(SUCCESS);
    expect(page.host.asked("attach")).toHaveLength(2);
    expect(page.hosts).toHaveLength(1);
  });

  test("waits a second after it was suspended for responses in its message queue", async () => {
    const sdk = make();
    await sdk.init("key");
    page.host.silent.add("submit");
    void sdk.track("a");
    await settle();
    vi.setSystemTime(Date.now() + 3_600_000);
    const frozen = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(3250);
    frozen.mockRestore();
    await settle();
    expect(page.hosts).toHaveLength(1);
    await pass(1000);
    expect(page.hosts).toHaveLength(2);
  });

  test("has no timers while it is idle", async () => {
    const sdk = make();
    await sdk.init("key");
    await sdk.track("a");
    await pass(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

const refuseAttach = () => {
  const original = Reflect.get(MessagePort.prototype, "postMessage") as (...args: unknown[]) => void;
  return vi.spyOn(MessagePort.prototype, "postMessage").mockImplementation(function (
    this: MessagePort,
    ...given: unknown[]
  ) {
    const { path } = given[0] as { path?: string[] };
    if (path?.[0] === "attach") throw new DOMException("could not be cloned", "DataCloneError");
    original.apply(this, given);
  });
};

describe("a host to which the page cannot post", () => {
  test("is given up with the reason, which is in the outcome of init()", async () => {
    refuseAttach();
    const sdk = make({ host: "shared" });
    expect(await sdk.init("key")).toMatchObject({
      error: { code: 2101, message: expect.stringContaining("could not be cloned") },
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is abandoned where its script ran again", async () => {
    const sdk = make();
    await sdk.init("key");
    const post = refuseAttach();
    page.prepare = () => post.mockRestore();
    page.host.hello("again");
    await settle();
    expect(await sdk.track("a")).toEqual(SUCCESS);
    expect(page.hosts).toHaveLength(2);
  });
});
