import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PeopleTrackingSDK } from "../../../src/main/index.js";
import type { TrackingOptions } from "../../../src/main/index.js";
import { PROTOCOL_VERSION } from "../../../src/protocol/host.js";
import { idleState } from "./fake-host.js";
import type { FakePage } from "./fake-page.js";
import { isSettled, pass, settle } from "./fake-page.js";
import { leavePage, loadPage, using } from "./tracked-page.js";

const SUCCESS = { success: true, data: null };
const refusal = {
  code: 2018,
  name: "MissingAuthorizationTokenError",
  message: "no",
  origin: "worker",
  platform: "fe-snippet",
};
const optedOut = { ...idleState, optedOut: true };
let page: FakePage;
const make = (options: TrackingOptions = {}) => using(new PeopleTrackingSDK({ liveChat: null, ...options }));

const namespaceOf = async (key: string, endpoint?: string) => {
  await make(endpoint ? { endpoint } : {}).init(key);
  return (page.host.asked("attach")[0]![0] as { namespace: string }).namespace;
};

beforeEach(() => (page = loadPage()));
afterEach(leavePage);

const viewsAsked = () =>
  page.hosts.flatMap((host) => host.inits.map(({ view }) => view && `${view.pageId}-${view.command.n}`));

/** As a browser has it: a native constructor. */
function SyncManager(): void {}

describe("init()", () => {
  test("attaches and records the page view of the page load in one message", async () => {
    page.navigator.onLine = false;
    const at = Date.now();
    expect(await make({ endpoint: "https://people.example/api/" }).init("key")).toEqual(SUCCESS);
    expect(page.host.calls.map(([method]) => method)).toEqual(["attach"]);
    const [[hello]] = page.host.asked("attach") as [[{ namespace: string; options: string }]];
    expect(JSON.parse(hello.options)).toEqual({
      pageViews: "load",
      host: "auto",
      durability: "relaxed",
      sessionTimeoutMs: 1_800_000,
      maxWaiting: 100_000,
      deliveryDelayMs: 1_000,
    });
    expect(hello).toEqual({
      protocol: PROTOCOL_VERSION,
      namespace: expect.stringMatching(/^[0-9a-f]{16}$/),
      endpoint: "https://people.example/api",
      apiKey: "key",
      options: expect.any(String),
      online: false,
      globalPrivacyControl: false,
    });
    expect(page.host.name).toBe(`people-tracking:${hello.namespace}:v${PROTOCOL_VERSION}:0`);
    expect(page.host.inits).toMatchObject([{ at, liveChat: undefined, view: { command: { n: 1 } } }]);
    expect([...page.host.stored.values()]).toMatchObject([
      {
        n: 1,
        type: "pageView",
        at,
        page: {
          url: "https://shop.example/kites?colour=red",
          title: "Shop",
          referrer: "https://search.example/",
        },
      },
    ]);
  });

  test("gives two keys two namespaces, and the same key on the same endpoint one", async () => {
    const first = await namespaceOf("a");
    expect(await namespaceOf("a", "/people")).toBe(first);
    expect(await namespaceOf("b")).not.toBe(first);
    expect(await namespaceOf("a", "/other")).not.toBe(first);
  });

  test("has the same outcome again with the same key, and no second page view", async () => {
    const sdk = make();
    const first = sdk.init("key");
    expect(sdk.init("key")).toBe(first);
    await first;
    expect(sdk.init("key")).toBe(first);
    expect(page.host.stored.size).toBe(1);
    expect(await sdk.init("other")).toMatchObject({ error: { code: 2102 } });
  });

  /** The page view that each `init()` asked for, by its operation's id. */

  test("sends the page view of one page load under one id from all instances, until it is recorded", async () => {
    expect(await Promise.all([make().init("key"), make().init("key")])).toEqual([SUCCESS, SUCCESS]);
    await make().init("key");
    const [first] = viewsAsked();
    expect(first).toMatch(/^[a-z0-9]{16}-1$/);
    expect(viewsAsked()).toEqual([first, first, undefined]);
  });

  test("keeps a page view recorded that one instance has recorded and another's host refused", async () => {
    const first = make().init("key");
    page.prepare = (host) => (host.attachAnswer = { ok: true, generation: 0, state: optedOut });
    await Promise.all([first, make().init("key")]);
    page.prepare = () => {};
    await make().init("key");
    expect(viewsAsked()).toEqual([expect.any(String), expect.any(String), undefined]);
    expect(page.host.stored.size).toBe(0);
  });

  test("leaves the page view to the next instance where one is closed while it starts", async () => {
    const closed = make();
    void closed.init("key");
    closed.close();
    expect(await make().init("key")).toEqual(SUCCESS);
    expect(new Set(viewsAsked()).size).toBe(1);
    expect(page.host.stored.size).toBe(1);
  });

  test("records a page view that the instance before could not", async () => {
    page.prepare = (host) => (host.attachAnswer = { ok: true, generation: 0, state: optedOut });
    await make().init("key");
    page.prepare = () => {};
    await make().init("key");
    expect(viewsAsked()).toEqual([expect.any(String), expect.any(String)]);
    expect(page.host.stored.size).toBe(1);
  });

  test("can be tried again after a failure", async () => {
    const sdk = make();
    page.prepare = (host) => (host.initAnswer = { success: false, error: refusal });
    expect(await sdk.init("key")).toEqual({ success: false, error: refusal });
    expect(await sdk.track("a")).toMatchObject({ error: { code: 2015 } });
    page.prepare = () => {};
    expect(await sdk.init("key")).toEqual(SUCCESS);
    expect(await sdk.track("a")).toEqual(SUCCESS);
  });

  test("succeeds without a page view while opted out", async () => {
    page.prepare = (host) => (host.attachAnswer = { ok: true, generation: 0, state: optedOut });
    expect(await make().init("key")).toEqual(SUCCESS);
    expect(page.host.stored.size).toBe(0);
  });

  test("succeeds with a page view that is refused, and warns on the console", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    page.prepare = (host) => (host.refuse = () => ({ ...refusal, message: "the outbox is full" }));
    expect(await make().init("key")).toEqual(SUCCESS);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("the outbox is full"));
  });

  test("answers 2101 within 10 s when the host stops responding", async () => {
    page.prepare = (host) => host.silent.add("attach");
    const started = make().init("key");
    await pass(9500);
    expect(await isSettled(started)).toBe(false);
    await pass(500);
    expect(await started).toMatchObject({ error: { code: 2101 } });
  });

  test("answers 2100 outside a browser", async () => {
    vi.stubGlobal("document", undefined);
    expect(await make().init("key")).toMatchObject({
      success: false,
      error: { code: 2100, name: "UnsupportedEnvironmentError" },
    });
  });

  test("reports a respected Global Privacy Control to the host", async () => {
    page.navigator.globalPrivacyControl = true;
    await make({ respectGlobalPrivacyControl: true }).init("key");
    expect(page.host.asked("attach")).toMatchObject([[{ globalPrivacyControl: true }, {}]]);
  });

  test.each<[string, unknown]>([
    ["endpoint", "http://"],
    ["endpoint", "ftp://people.example"],
    ["namespace", ""],
    ["pageViews", "sometimes"],
    ["pageViews", null],
    ["pageViews", {}],
    ["pageViews", { spa: "yes" }],
    ["pageViews", { ignoreSearch: true }],
    ["pageViews", { spa: true, ignoreSearch: "q" }],
    ["pageViews", { spa: true, ignoreSearch: null }],
    ["pageViews", { spa: true, ignoreSearch: ["q", 1] }],
    ["page", "none"],
    ["host", "iframe"],
    ["host", () => "shared"],
    ["durability", "eternal"],
    ["sessionTimeoutMs", -1],
    ["sessionTimeoutMs", "long"],
    ["deliveryDelayMs", -1],
    ["deliveryDelayMs", 0.5],
    ["deliveryDelayMs", 100_000],
    ["maxWaiting", NaN],
    ["workerUrl", "http://"],
  ])("answers 2102 for a bad option %s: %s", async (name, value) => {
    expect(await make({ [name]: value }).init("key")).toMatchObject({
      error: { code: 2102, origin: "fe-snippet", message: expect.stringContaining(name) },
    });
    // No other host is asked.
    expect(page.hosts.length).toBeLessThanOrEqual(1);
    expect(page.hosts.flatMap(({ stored }) => [...stored])).toEqual([]);
  });

  test("answers 2102 for options that throw when they are read", async () => {
    const options = {
      get namespace(): string {
        throw new Error("no");
      },
    };
    const unreadable = using(new PeopleTrackingSDK(options));
    expect(await unreadable.init("key")).toMatchObject({ error: { code: 2102 } });
  });

  test("takes null for no options", async () => {
    const sdk = using(new PeopleTrackingSDK(null as unknown as TrackingOptions));
    expect(await sdk.init("key")).toMatchObject({ error: { code: 4001 } }); // there is no Live Chat
  });

  test("waits on a prerendered page until that is shown, and its calls with it", async () => {
    page.document.prerendering = true;
    const sdk = make();
    const started = sdk.init("key");
    const tracked = sdk.track("a");
    await pass(60_000);
    expect(page.hosts).toEqual([]);
    page.document.prerendering = false;
    const shownAt = Date.now();
    page.window.dispatchEvent(new Event("prerenderingchange")); // at the document, by way of the window
    expect(await started).toEqual(SUCCESS);
    expect(await tracked).toEqual(SUCCESS);
    expect([...page.host.stored.values()]).toMatchObject([{ at: shownAt }, { at: shownAt }]);
  });

  test("answers 2015 where close() is called meanwhile", async () => {
    const sdk = make();
    page.prepare = (host) => host.silent.add("attach");
    const started = sdk.init("key");
    await settle();
    sdk.close();
    expect(await started).toMatchObject({ error: { code: 2015 } });
    await pass(12_000);
    expect(page.hosts).toHaveLength(1);
  });

  test.each([
    ["the browser's", SyncManager, 1],
    ["an element of that id", {}, 0],
  ])("requests Background Sync where SyncManager is %s", async (_, SyncManager, times) => {
    const getRegistrations = vi.fn<() => Promise<[]>>(() => Promise.resolve([]));
    Object.assign(page.navigator, { serviceWorker: { getRegistrations } });
    vi.stubGlobal("SyncManager", SyncManager);
    await make({ serviceWorkerUrl: "/service-worker.js" }).init("key");
    await vi.advanceTimersByTimeAsync(0);
    await vi.dynamicImportSettled();
    expect(getRegistrations).toHaveBeenCalledTimes(times);
  });
});

describe("the API key", () => {
  test("counts without the white space that was pasted around it", async () => {
    const sdk = make();
    expect(await sdk.init(" \n\u00a0key\ufeff\t")).toEqual(SUCCESS);
    expect(page.host.asked("attach")).toMatchObject([[{ apiKey: "key" }, {}]]);
    expect(await sdk.init("key ")).toEqual(SUCCESS);
    expect(page.host.asked("attach")).toHaveLength(1);
    expect(await sdk.init("key2")).toMatchObject({ error: { code: 2102 } });
  });

  test("makes the same namespace with white space and without", async () => {
    const bare = await namespaceOf("key");
    leavePage();
    page = loadPage();
    expect(await namespaceOf("\tkey ")).toBe(bare);
  });

  test.each([
    ["abcd\u200bef", "U+200B", 5],
    ["\u201ckey\u201d", "U+201C", 1],
    ["  key\u0007", "U+0007", 4],
    ["ke\ty", "U+0009", 3],
    ["kéy", "U+00E9", 2],
    ["key\u{1f511}", "U+1F511", 4],
  ])("%j is refused with 2102, which names the character", async (key, codePoint, position) => {
    expect(await make().init(key)).toMatchObject({
      success: false,
      error: {
        code: 2102,
        message: `apiKey has the character ${codePoint} at position ${position}, which no HTTP header can carry: copy it once more`,
      },
    });
    expect(page.hosts).toHaveLength(1);
  });

  test("may hold a space, which a header carries", async () => {
    expect(await make().init("no such key")).toEqual(SUCCESS);
    expect(page.host.asked("attach")).toMatchObject([[{ apiKey: "no such key" }, {}]]);
  });

  test.each([" ", "", undefined, 5])("%j is refused with 2102", async (key) => {
    expect(await make().init(key as string)).toMatchObject({
      error: { code: 2102, message: "apiKey must be a non-empty string" },
    });
  });
});
