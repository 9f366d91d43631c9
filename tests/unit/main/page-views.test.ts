import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PeopleTrackingSDK } from "../../../src/main/index.js";
import type { TrackingOptions } from "../../../src/main/index.js";
import type { FakePage } from "./fake-page.js";
import { pass, settle } from "./fake-page.js";
import { leavePage, loadPage, using } from "./tracked-page.js";

let page: FakePage;
const start = async (options: TrackingOptions = {}) => {
  const sdk = using(new PeopleTrackingSDK({ liveChat: null, ...options }));
  await sdk.init("key");
  // What is loaded for client-side navigations alone.
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

test.each(["constructor", "toString", "__proto__"])("a namespace may be named %s", async (namespace) => {
  const names = builtInNames();
  await start({ namespace });
  await start({ namespace });
  expect(views()).toEqual([first]);
  expect(builtInNames()).toEqual(names);
});

test.each([true, false])(
  "client-side navigations count, a task later (Navigation API: %s)",
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

test("a storm of changes in one task is one view, or none where it ends as it began", async () => {
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
])("what the site ignores of the search part makes no view: %j", async (ignoreSearch, url) => {
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

test("a parameter that the site does not name makes another view", async () => {
  await start({ pageViews: { spa: true, ignoreSearch: ["sort"] } });
  page.navigate("/kites?colour=blue");
  await pass(250);
  expect(views()).toHaveLength(2);
});

test("popstate counts where there is no Navigation API", async () => {
  vi.stubGlobal("navigation", (page.navigation = undefined));
  await start({ pageViews: "spa" });
  page.url = "https://shop.example/back";
  page.window.dispatchEvent(new Event("popstate"));
  await pass(250);
  expect(views()).toHaveLength(2);
});

test("navigations do not count without the option", async () => {
  await start();
  page.navigate("/lines");
  await pass(250);
  expect(views()).toEqual([first]);
});

test("two instances record a navigation once", async () => {
  await start({ pageViews: "spa" });
  await start({ pageViews: "spa" });
  page.navigate("/lines");
  page.comesBack();
  await pass(250);
  expect(views()).toHaveLength(3);
});

test("close() gives History back, unless another has patched it since", async () => {
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

test("'manual' records none by itself", async () => {
  const sdk = await start({ pageViews: "manual" });
  page.navigate("/lines");
  page.comesBack();
  await pass(250);
  expect(views()).toEqual([]);
  await sdk.trackPageView();
  expect(views()).toEqual([view("https://shop.example/lines")]);
});

test("a page restored from the back-forward cache counts again", async () => {
  await start();
  page.pagehide();
  page.comesBack();
  await settle();
  expect(views()).toEqual([first, first]);
});

test("the site's redaction holds for page views and events", async () => {
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
])("a redaction that gives nothing sends nothing of the page: %#", async (redact) => {
  const sdk = await start({ page: redact });
  await sdk.track("a");
  expect(views()).toEqual([null, "track"]);
  expect(page.host.batches[0]![0]).not.toHaveProperty("page");
});

test("the redaction is asked once for the events of one task", async () => {
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
