import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PeopleTrackingSDK } from "../../../src/main/index.js";
import type { TrackingOptions } from "../../../src/main/index.js";
import type { FakePage } from "./fake-page.js";
import { pass, settle } from "./fake-page.js";
import { leavePage, loadPage, using } from "./tracked-page.js";

let page: FakePage;
const start = async (options: TrackingOptions = {}) => {
  const sdk = using(new PeopleTrackingSDK({ liveChat: null, ...options }));
  await sdk.init("key");
  // What is loaded once tracking has started, and for client-side navigations alone.
  await vi.advanceTimersByTimeAsync(0);
  await vi.dynamicImportSettled();
  return sdk;
};
const views = () =>
  page.hosts
    .flatMap((host) => [...host.stored.values()])
    .map((command) => (command.type === "pageView" ? (command.page ?? null) : command.type));
const view = (url: string, title = "Shop", referrer = "https://search.example/") => ({
  url,
  title,
  referrer,
});
const first = view("https://shop.example/kites?colour=red");

beforeEach(() => (page = loadPage()));
afterEach(leavePage);

const builtInNames = () =>
  [Object, Object.prototype, Reflect.get(Object.prototype, "toString") as object].map((one) =>
    Object.getOwnPropertyNames(one),
  );

describe("a namespace", () => {
  test.each(["constructor", "toString", "__proto__"])("a namespace may be named %s", async (namespace) => {
    const names = builtInNames();
    await start({ namespace });
    await start({ namespace });
    expect(views()).toEqual([first]);
    expect(builtInNames()).toEqual(names);
  });
});

describe("page views", () => {
  test.each([true, false])(
    "are recorded at client-side navigations, a task later (Navigation API: %s)",
    async (modern) => {
      if (!modern) vi.stubGlobal("navigation", (page.navigation = undefined));
      await start({ pageViews: "spa" });
      page.navigate("/lines", "Lines");
      await pass(250);
      page.navigate("/lines#top", "Lines");
      await pass(250);
      page.navigate("/kites", "Kites");
      await pass(250);
      expect(views()).toEqual([
        first,
        view("https://shop.example/lines", "Lines", "https://shop.example/kites?colour=red"),
        view("https://shop.example/kites", "Kites", "https://shop.example/lines"),
      ]);
    },
  );

  test("are one for all navigations before what follows them is loaded", async () => {
    const started = start({ pageViews: "spa" });
    for (const url of ["/lines", "/basket"]) {
      page.navigate(url);
      await settle();
    }
    await started;
    await pass(250);
    expect(views()).toEqual([
      first,
      view("https://shop.example/basket", "Shop", "https://shop.example/kites?colour=red"),
    ]);
  });

  test("are one for many changes of the URL in one task, or none where it ends as it began", async () => {
    await start({ pageViews: "spa" });
    for (let n = 1; n <= 50; n++) page.navigate(`/lines?n=${n}`);
    await pass(250);
    for (let n = 49; n <= 50; n++) page.navigate(`/lines?n=${n}`);
    await pass(250);
    expect(views()).toEqual([
      first,
      view("https://shop.example/lines?n=50", "Shop", "https://shop.example/kites?colour=red"),
    ]);
  });

  test.each([
    [true, "/kites?page=2"],
    [["colour", "sort"], "/kites?sort=price&colour=blue#top"],
  ])("do not count what the site ignores of the search part: %j", async (ignoreSearch, url) => {
    await start({ pageViews: { ignoreSearch, spa: true } });
    page.navigate(url);
    await pass(250);
    expect(views()).toEqual([first]);
    page.navigate("/lines?colour=red");
    await pass(250);
    expect(views()).toEqual([
      first,
      view("https://shop.example/lines?colour=red", "Shop", "https://shop.example/kites?colour=red"),
    ]);
  });

  test("count a parameter that the site does not ignore", async () => {
    await start({ pageViews: { spa: true, ignoreSearch: ["sort"] } });
    page.navigate("/kites?colour=blue");
    await pass(250);
    expect(views()).toHaveLength(2);
  });

  test("are recorded at popstate where there is no Navigation API", async () => {
    vi.stubGlobal("navigation", (page.navigation = undefined));
    await start({ pageViews: "spa" });
    page.url = "https://shop.example/back";
    page.window.dispatchEvent(new Event("popstate"));
    await pass(250);
    expect(views()).toHaveLength(2);
  });

  test("are not recorded at navigations without the option", async () => {
    await start();
    page.navigate("/lines");
    await pass(250);
    expect(views()).toEqual([first]);
  });

  test("are recorded once by two instances", async () => {
    await start({ pageViews: "spa" });
    await start({ pageViews: "spa" });
    page.navigate("/lines");
    page.comesBack();
    await pass(250);
    expect(views()).toHaveLength(3);
  });

  test("end with close(), which restores History unless another has patched it since", async () => {
    vi.stubGlobal("navigation", (page.navigation = undefined));
    const sdk = await start({ pageViews: "spa" });
    expect(Object.hasOwn(page.history, "pushState")).toBe(true);
    const { history } = page;
    const ours = history.replaceState.bind(history);
    const theirs: typeof ours = (...args) => ours(...args);
    history.replaceState = theirs;
    sdk.close();
    expect(Object.hasOwn(page.history, "pushState")).toBe(false);
    expect(Object.entries(history)).toContainEqual(["replaceState", theirs]);
    history.replaceState(null, "", "/on");
    expect(page.url).toBe("https://shop.example/on");
  });

  test("are none with the option manual", async () => {
    const sdk = await start({ pageViews: "manual" });
    page.navigate("/lines");
    page.comesBack();
    await pass(250);
    expect(views()).toEqual([]);
    await sdk.trackPageView();
    expect(views()).toEqual([view("https://shop.example/lines")]);
  });

  test("are recorded again when the page is restored from the back-forward cache", async () => {
    await start();
    page.pagehide();
    page.comesBack();
    await settle();
    expect(views()).toEqual([first, first]);
  });

  test("are redacted by the site, and so are events", async () => {
    const sdk = await start({ page: ({ url, ...rest }) => ({ ...rest, url: new URL(url).origin }) });
    await sdk.track("a");
    await sdk.trackPageView({ url: "/secret?token=1#x" });
    expect(views()).toEqual([view("https://shop.example"), "track", view("https://shop.example")]);
    expect(page.host.batches[0]).toMatchObject([{ page: { url: "https://shop.example", title: "Shop" } }]);
  });

  test.each([
    () => null,
    () => {
      throw new Error("no");
    },
  ])("have no page where the redaction returns nothing: %#", async (redact) => {
    const sdk = await start({ page: redact });
    await sdk.track("a");
    expect(views()).toEqual([null, "track"]);
    expect(page.host.batches[0]![0]).not.toHaveProperty("page");
  });

  test("share one redaction with the events of their task", async () => {
    const redact = vi.fn<NonNullable<TrackingOptions["page"]>>((given) => given);
    const sdk = await start({ page: redact, pageViews: "manual" });
    void sdk.track("a");
    void sdk.track("b");
    page.navigate("/lines");
    await sdk.track("c");
    expect(redact).toHaveBeenCalledTimes(2);
    await sdk.track("d");
    expect(redact).toHaveBeenCalledTimes(3);
    expect(page.host.batches.flat().slice(0, 3)).toMatchObject([
      { page: { url: first.url } },
      { page: { url: first.url } },
      { page: { url: "https://shop.example/lines" } },
    ]);
  });
});
