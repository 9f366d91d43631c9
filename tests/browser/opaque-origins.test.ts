/** Pages that have no origin of their own: the tracker runs in the page itself, and in memory where there is no disk. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Frame, Page } from "playwright";
import { usePageErrors } from "./support/page-errors.js";
import { useSetting } from "./support/setting.js";

const setting = useSetting();
let page: Page;
let folder: string;
const errors = usePageErrors();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "people-tracking-file-"));
  page = await setting.browser.newPage();
  errors.watch(page);
});
afterEach(() => rm(folder, { recursive: true }));

/** A document that needs nothing but the site's script. */
const html = (): string => `<!doctype html><title>Kites</title>
  <script type="module">
    import { PeopleTrackingSDK } from "${setting.site.origin}/sdk/index.js";
    Object.assign(window, { PeopleTrackingSDK, loaded: true });
  </script>`;

const frame = async (attributes: Record<string, string>): Promise<Frame> => {
  await page.goto(setting.site.origin);
  await page.evaluate((given) => {
    const element = document.createElement("iframe");
    for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
    document.body.append(element);
  }, attributes);
  const element = await page.waitForSelector("iframe");
  return (await element.contentFrame())!;
};

const openers: [string, () => Promise<Frame>][] = [
  ["a sandboxed frame", () => frame({ sandbox: "allow-scripts", src: `${setting.site.origin}/kites` })],
  ["a data: frame", () => frame({ src: `data:text/html,${encodeURIComponent(html())}` })],
  ["a sandboxed srcdoc frame", () => frame({ sandbox: "allow-scripts", srcdoc: html() })],
  [
    "a file: page",
    async () => {
      const file = join(folder, "kites.html");
      await writeFile(file, html());
      await page.goto(pathToFileURL(file).href);
      return page.mainFrame();
    },
  ],
];

const init = (target: Frame, endpoint: string | undefined) =>
  target.evaluate(
    ([key, service]) => {
      window.sdk = new window.PeopleTrackingSDK({ liveChat: null, ...(service && { endpoint: service }) });
      return window.sdk.init(key!);
    },
    [setting.site.trackingKey, endpoint],
  );

describe("a frame", () => {
  test.each(openers)(
    "%s tracks to an absolute endpoint, and refuses one that leads nowhere",
    async (_, open) => {
      const { site } = setting;
      const target = await open();
      await target.waitForFunction(() => window.loaded);
      expect(await target.evaluate(() => window.origin)).toBe("null");
      for (const endpoint of ["/people", undefined]) {
        expect(await init(target, endpoint)).toMatchObject({
          success: false,
          error: {
            code: 2102,
            message: "options.endpoint must be a URL, and absolute: this page has no origin",
          },
        });
      }
      expect(await init(target, `${site.origin}/people`)).toEqual({ success: true, data: null });
      // Chromium alone lets files share a disk.
      const storage = target.url().startsWith("file:") ? "disk" : "memory";
      expect(await target.evaluate(() => window.sdk.state)).toMatchObject({ host: "page", storage });
      expect(await target.evaluate(() => window.sdk.track("action", { name: "looked" }))).toEqual({
        success: true,
        data: null,
      });
      expect(await target.evaluate(() => window.sdk.flush())).toEqual({
        success: true,
        data: { waiting: 0 },
      });
      const accepted = site.requests
        .filter(({ status }) => status === 200)
        .flatMap(({ operations }) => operations)
        .map((operation) => operation.type === "event" && operation.definitionId);
      expect(accepted).toEqual(expect.arrayContaining(["pageView", "action"]));
    },
  );

  test("a srcdoc frame that has its parent's origin uses the parent's store", async () => {
    const target = await frame({ srcdoc: html() });
    await target.waitForFunction(() => window.loaded);
    expect(await init(target, undefined)).toEqual({ success: true, data: null });
    expect(await target.evaluate(() => window.sdk.state)).toMatchObject({ host: "shared", storage: "disk" });
  });
});
