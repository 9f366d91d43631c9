/** Pages whose elements and variables have names that the platform uses too. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Page } from "playwright";
import { operationsOf, outboxOf } from "./support/outbox.js";
import { usePageErrors } from "./support/page-errors.js";
import { useSetting } from "./support/setting.js";
import { init, openTab, stateOf, track } from "./support/visit.js";

const setting = useSetting();
let page: Page;
const errors = usePageErrors();

beforeEach(async () => {
  const { browser, site } = setting;
  site.setReachable(false); // all stays in the outbox, where it can be read
  page = await openTab(browser, site, "/shop?colour=red");
  errors.watch(page);
});

/** As a classic script of the page, whose variables are properties of the window. */
const run = (content: string) => page.addScriptTag({ content });
const add = (html: string) =>
  page.evaluate((content) => document.body.insertAdjacentHTML("beforeend", content), html);
const start = async (options: Parameters<typeof init>[2] = {}): Promise<void> => {
  expect(await init(page, setting.site.trackingKey, { liveChat: null, ...options })).toMatchObject({
    success: true,
  });
};

const SHADOWS = `
  <form name="title"></form> <img name="URL"> <iframe name="referrer"></iframe> <object name="baseURI"></object>
  <form name="visibilityState"></form> <form name="prerendering"></form> <form name="addEventListener"></form>`;

describe("elements that shadow the document's properties", () => {
  const shown = () => ({ url: `${setting.site.origin}/shop?colour=red`, title: "Fixture" });

  test("change nothing of what init() and calls tell of the page", async () => {
    await add(SHADOWS);
    expect(await page.evaluate(() => typeof document.title)).toBe("object");
    await start({ workerUrl: "/sdk/worker.js" });
    expect(await track(page, "looked")).toMatchObject({ success: true });
    expect(await page.evaluate(() => window.sdk.trackPageView({ url: "/basket" }))).toMatchObject({
      success: true,
    });
    const operations = await operationsOf(page);
    expect(operations[0]).toMatchObject({ properties: { ...shown(), referrer: "" } });
    expect(operations[1]).toMatchObject({ page: shown() });
    expect(operations[2]).toMatchObject({ properties: { url: `${setting.site.origin}/basket` } });
  });

  test("may come after init(), with a cycle, as frameworks put on elements", async () => {
    await start();
    await add(SHADOWS);
    await page.evaluate(() => {
      const form = document.querySelector("form[name=title]") as unknown as { owner: object };
      form.owner = { form };
    });
    expect(await track(page, "looked")).toMatchObject({ success: true });
    expect((await operationsOf(page)).at(-1)).toMatchObject({ page: shown() });
  });
});

describe("calls that cannot be handed to the host", () => {
  const failing = (name: "JSON.stringify" | "MessagePort.prototype.postMessage") =>
    run(`{
      const original = ${name};
      ${name} = () => {
        ${name} = original;
        throw new Error("patched by the page");
      };
    }`);

  test.each(["JSON.stringify", "MessagePort.prototype.postMessage"] as const)(
    "answer with the cause, and stop none of those after them: %s",
    async (name) => {
      await start();
      await failing(name);
      const outcomes = await page.evaluate(() => {
        const calls = [
          window.sdk.track("action", { name: "a" }),
          window.sdk.updatePerson({ firstName: "A" }),
        ];
        return Promise.all(calls);
      });
      expect(outcomes.map((outcome) => !outcome.success && outcome.error)).toMatchObject([
        { code: 2016, message: expect.stringContaining("patched by the page") },
        { code: 2017, message: expect.stringContaining("patched by the page") },
      ]);
      expect(await track(page, "b")).toMatchObject({ success: true });
      expect((await operationsOf(page)).at(-1)).toMatchObject({ properties: { name: "b" } });
    },
  );

  test("let a question of the page answer too", async () => {
    await start();
    await failing("MessagePort.prototype.postMessage");
    expect(await page.evaluate(() => window.sdk.inspect())).toMatchObject({
      success: false,
      error: { code: 2101, message: expect.stringContaining("patched by the page") },
    });
  });
});

describe("variables and elements that take a global's name", () => {
  test.each([
    ["a list", 'var navigation = document.querySelectorAll("nav");'],
    [
      "an element, in a browser without the Navigation API",
      'delete window.navigation; document.body.insertAdjacentHTML("beforeend", `<nav id="navigation"></nav>`);',
    ],
    [
      "an emitter of the page's own",
      "class Navigation extends EventTarget {} window.Navigation = Navigation; var navigation = new Navigation();",
    ],
  ])("client-side views count where `navigation` is %s", async (_, script) => {
    await run(script);
    await start({ pageViews: "spa" });
    await page.evaluate(() => history.pushState(null, "", "/one"));
    await expect
      .poll(() => operationsOf(page))
      .toMatchObject([{}, { properties: { url: `${setting.site.origin}/one` } }]);
  });

  test("a router's `history` is not patched instead of the browser's", async () => {
    await run("var navigation = 0; const history = { pushState() {} };");
    await start({ pageViews: "spa" });
    await page.evaluate(() => window.history.pushState(null, "", "/one"));
    await expect.poll(() => operationsOf(page)).toHaveLength(2);
  });

  test("tracking goes on with a page's own", async () => {
    const scripts = [
      'var performance = "fast";',
      "function Event(title) { this.title = title; }",
      'var origin = "Berlin";',
      "var self = {};",
      "function crypto() {}",
      'function trustedTypes() {} trustedTypes.createPolicy = () => "policy";',
      "class Zone {} window.Zone = { root: Zone, current: Zone };",
      "var process = document.body;",
      "var console = {};",
    ];
    for (const script of scripts) {
      await page.reload();
      await page.waitForFunction(() => window.loaded);
      await run(script);
      await start();
      expect(await track(page, "looked"), script).toMatchObject({ success: true });
      expect((await stateOf(page))?.host, script).toBe("shared");
    }
  });

  test("two pages without random values of the browser's have two ids", async () => {
    const ids = new Set<string>();
    for (let load = 0; load < 2; load++) {
      await page.reload();
      await page.waitForFunction(() => window.loaded);
      await run("function crypto() {} crypto.getRandomValues = (bytes) => bytes;");
      await start();
      await track(page, "looked");
      ids.add((await outboxOf(page)).at(-1)!.id);
    }
    expect(ids.size).toBe(2);
  });

  test.each([
    [["SharedWorker"], "dedicated"],
    [["SharedWorker", "Worker"], "page"],
  ])("%s missing, with an element of that name: the %s host tracks", async (names, host) => {
    await run(names.map((name) => `delete window.${name};`).join(""));
    await add(names.map((name) => `<div id="${name}"></div>`).join(""));
    await start();
    expect((await stateOf(page))?.host).toBe(host);
  });
});

describe("a listener of the page", () => {
  test("a listener that throws stops no other, also where a browser cannot report errors", async () => {
    await run("delete window.reportError;");
    await start();
    const seen = await page.evaluate(async () => {
      const states: boolean[] = [];
      let hasThrown = false;
      window.sdk.subscribe(({ optedOut }) => {
        if (!optedOut || hasThrown) return;
        hasThrown = true;
        throw new Error("the site's own");
      });
      window.sdk.subscribe(({ optedOut }) => states.push(optedOut));
      await window.sdk.optOut();
      return states;
    });
    expect(seen).toContain(true);
    const reported: string[] = [];
    await expect.poll(() => reported.push(...errors.take()) && reported).toEqual(["the site's own"]);
  });
});
