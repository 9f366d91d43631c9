/** The packed package in a fresh application: what users get is what is tested. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright";
import { chromium } from "playwright";
import { publint } from "publint";
import { build, createServer } from "vite";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { PeopleTrackingSDK, TrackingOptions } from "../../src/main/index.js";
import { CHROMIUM_ARGS, chromiumPath } from "../chromium.js";
import type { PackageSite } from "./site.js";
import { startPackageSite } from "./site.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
type Sdk = new (options: TrackingOptions) => PeopleTrackingSDK;

let folder: string;
let packed: { filename: string; files: { path: string }[] };
let browser: Browser;
let app: string;
const endings: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "people-tracking-package-"));
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: ROOT });
  [packed] = JSON.parse(stdout) as [typeof packed];

  app = join(folder, "app");
  await mkdir(app);
  await writeFile(join(app, "package.json"), '{ "name": "app", "private": true, "type": "module" }');
  await writeFile(
    join(app, "index.html"),
    '<!doctype html><title>App</title><script type="module" src="/main.js"></script>',
  );
  await writeFile(
    join(app, "main.js"),
    "import { PeopleTrackingSDK } from 'people-tracking-sdk';\nglobalThis.PeopleTrackingSDK = PeopleTrackingSDK;\n",
  );
  // The package has no dependencies: no registry is asked.
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, packed.filename)], {
    cwd: app,
  });
  vi.stubEnv("NODE_ENV", "production");
  await build({ root: app, logLevel: "error" });
  vi.stubEnv("NODE_ENV", "development");
  browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

const open = async (url: string): Promise<Page> => {
  const context = await browser.newContext();
  endings.push(() => context.close());
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => "PeopleTrackingSDK" in globalThis);
  return page;
};

const serve = async (headers?: Record<string, string>): Promise<PackageSite> => {
  const site = await startPackageSite(join(app, "dist"), headers);
  endings.push(() => site.close());
  return site;
};

/** Tracks one event and has it delivered; answers the host that did it. */
const track = (page: Page, key: string, options: TrackingOptions = {}) =>
  page.evaluate(
    async ([apiKey, given]) => {
      const { PeopleTrackingSDK } = globalThis as unknown as { PeopleTrackingSDK: Sdk };
      const sdk = new PeopleTrackingSDK({ liveChat: null, ...given });
      const outcomes = [
        await sdk.init(apiKey),
        await sdk.track("action", { name: "Button clicked" }),
        await sdk.flush(),
      ];
      return { outcomes, host: sdk.state?.host };
    },
    [key, options] as const,
  );
const delivered = (host: string) => ({
  outcomes: [
    { success: true, data: null },
    { success: true, data: null },
    { success: true, data: { waiting: 0 } },
  ],
  host,
});
const ARRIVED = [
  expect.objectContaining({ definitionId: "sessionStarted" }),
  expect.objectContaining({ definitionId: "pageView" }),
  expect.objectContaining({ definitionId: "action", properties: { name: "Button clicked" } }),
];

describe("the package in an application", () => {
  test.each(["shared", "dedicated", "page"] as const)(
    "a Vite application tracks with nothing but the import (host: %s)",
    async (host) => {
      const site = await serve();
      const page = await open(site.origin);
      expect(await track(page, site.key, host === "shared" ? {} : { host })).toEqual(delivered(host));
      expect(site.accepted).toEqual(ARRIVED);
    },
  );

  test("Vite's development server finds the worker too", async () => {
    const site = await serve();
    const server = await createServer({
      root: app,
      logLevel: "error",
      server: { port: 0, host: "127.0.0.1" },
      plugins: [
        {
          name: "people-service",
          configureServer: ({ middlewares }) => {
            middlewares.use((request, response, next) => {
              if (request.url?.startsWith("/people/")) void site.handle(request, response);
              else next();
            });
          },
        },
      ],
    });
    endings.push(() => server.close());
    await server.listen();
    const page = await open(server.resolvedUrls?.local[0] ?? "");
    expect(await track(page, site.key)).toEqual(delivered("shared"));
    expect(await page.evaluate(() => "__PEOPLE_TRACKING__" in globalThis)).toBe(true);
    expect(site.accepted).toEqual(ARRIVED);
  });

  test("a strict Content Security Policy with required Trusted Types is no obstacle", async () => {
    const site = await serve({
      "Content-Security-Policy":
        "default-src 'self'; require-trusted-types-for 'script'; trusted-types people-tracking-sdk",
    });
    const page = await open(site.origin);
    const violations: string[] = [];
    page.on("console", (message) => message.type() === "error" && violations.push(message.text()));
    expect(await track(page, site.key)).toEqual(delivered("shared"));
    expect(violations.filter((text) => !text.includes("favicon"))).toEqual([]);
    expect(await page.evaluate(() => "__PEOPLE_TRACKING__" in globalThis)).toBe(false);
  });
});

describe("the package as it is published", () => {
  test("the package holds what users need and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !/^dist\/types\/(main|protocol)\//.test(path)).toSorted()).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "dist/index.js",
        "dist/licenses/index.md",
        "dist/licenses/worker.md",
        "dist/page-host.js",
        "dist/types/worker/worker.d.ts",
        "dist/worker.js",
        "package.json",
      ]),
    );
    expect(paths.filter((path) => /core|adapters|server|tests|playground|schemas/.test(path))).toEqual([]);
  });

  test("publint finds nothing to say", async () => {
    const { messages } = await publint({ pkgDir: ROOT, strict: true });
    expect(messages).toEqual([]);
  });

  test("its types are right for those who import it", async () => {
    const tarball = join(folder, packed.filename);
    // Rejects, with the table of what is wrong, when there is any.
    await expect(
      run("npx", ["attw", tarball, "--profile", "esm-only"], { cwd: ROOT }),
    ).resolves.toBeDefined();
  });
});
