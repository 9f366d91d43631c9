/** The quick start, to the letter: both packages from their packed files, in a fresh application with Vite. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright";
import { chromium } from "playwright";
import { rolldown } from "rolldown";
import { build, createServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { PeopleTrackingSDK } from "../../src/main/index.js";
import { CHROMIUM_ARGS, chromiumPath } from "../chromium.js";
import { runUntilInterrupted, type DevProcess } from "./dev-service.js";
import { installService, installTracker, pack } from "./fresh-folder.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let folder: string;
let app: string;
let command: string;
let browser: Browser;
let dev: DevProcess;
/** What `dev` prints to paste. */
let snippet: string;

const write = async (name: string, content: string): Promise<void> => writeFile(join(app, name), content);

interface Ended {
  code: number;
  output: string;
}
const run = (file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(file, args, { cwd: app, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
const cli = (...args: string[]): Promise<Ended> => run(command, args);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "people-tracking-cli-"));
  app = join(folder, "app");
  await mkdir(app);
  command = join(app, "node_modules/.bin/people-tracking-sdk");
  await write("package.json", '{ "name": "app", "private": true, "type": "module" }');
  await write(
    "index.html",
    '<!doctype html><title>App</title><script type="module" src="/main.js"></script>',
  );
  await write(
    "vite.config.js",
    'import { peopleTracking } from "people-tracking-sdk/vite";\nexport default { plugins: [peopleTracking()] };\n',
  );
  const [tracker, service] = await Promise.all([
    pack("people-tracking-sdk", folder),
    pack("people-service", folder),
  ]);
  await installTracker(tracker, app);
  await installService(service, app);
  dev = runUntilInterrupted(command, ["dev", "--port", "0"], app);
  await dev.line("What your pages send appears here");
  const printed = dev.lines.join("\n");
  snippet = printed.slice(printed.indexOf("  import"), printed.indexOf("\n\nOnly the event"));
  browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
});
afterAll(async () => {
  await browser?.close();
  await dev?.interrupt();
  await rm(folder, { recursive: true, force: true });
});

/** The pasted lines, with a label of their own, and the tracker where the test finds it. */
const paste = (label: string): Promise<void> =>
  write("main.js", `${snippet.replace("add-to-favorites", label)}\nglobalThis.sdk = sdk;\n`);

/** Opens a page in a browser without a past, and resolves once the service has accepted its event. */
const deliverFrom = async (url: string, label: string): Promise<Page> => {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(url);
  const line = await dev.line(label);
  expect(line).toBe(`✓ action {"name":"Button clicked","label":"${label}"}`);
  expect(errors).toEqual([]);
  return page;
};

const hostOf = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { sdk: PeopleTrackingSDK }).sdk.state?.host);

/** Resolves with the path of the page's service worker, once it has one. */
const serviceWorkerOf = (page: Page): Promise<string> =>
  page.evaluate(async () => new URL((await navigator.serviceWorker.ready).active?.scriptURL ?? "").pathname);

describe("people-tracking-sdk dev and the plugin for Vite", () => {
  test("deliver the pasted event from Vite's development server, with the worker and the service worker", async () => {
    await paste("development");
    vi.stubEnv("NODE_ENV", "development");
    const server = await createServer({
      root: app,
      logLevel: "error",
      server: { port: 0, host: "localhost" },
    });
    onTestFinished(async () => {
      await server.close();
      vi.unstubAllEnvs();
    });
    await server.listen();
    const page = await deliverFrom(server.resolvedUrls?.local[0] ?? "", "development");
    expect(await hostOf(page)).toBe("shared");
    expect(await serviceWorkerOf(page)).toBe("/service-worker.js");
  });

  test("deliver it from a production build below a base path", async () => {
    await paste("production");
    vi.stubEnv("NODE_ENV", "production");
    onTestFinished(() => void vi.unstubAllEnvs());
    await build({ root: app, logLevel: "error", base: "/shop/" });
    expect(await readdir(join(app, "dist"))).toEqual(["assets", "index.html", "service-worker.js"]);
    const server = await preview({
      root: app,
      base: "/shop/",
      logLevel: "error",
      preview: { port: 0, host: "localhost" },
    });
    onTestFinished(() => server.close());
    const page = await deliverFrom(server.resolvedUrls?.local[0] ?? "", "production");
    expect(await hostOf(page)).toBe("shared");
    expect(await serviceWorkerOf(page)).toBe("/shop/service-worker.js");
  });

  test("deliver it from a bundler that takes plugins of Rollup and finds no workers", async () => {
    await paste("rollup");
    const { peopleTracking } = (await import(join(app, "node_modules/people-tracking-sdk/dist/vite.js"))) as {
      peopleTracking: () => { name: string };
    };
    const bundle = await rolldown({
      cwd: app,
      input: "main.js",
      platform: "browser",
      plugins: [peopleTracking()],
    });
    await bundle.write({
      dir: join(app, "rollup"),
      entryFileNames: "scripts/[name].js",
      chunkFileNames: "scripts/[name].js",
    });
    await bundle.close();
    await write("rollup/index.html", '<!doctype html><script type="module" src="/scripts/main.js"></script>');
    const server = await preview({
      root: app,
      configFile: false,
      logLevel: "error",
      build: { outDir: "rollup" },
      preview: { port: 0, host: "localhost" },
    });
    onTestFinished(() => server.close());
    const page = await deliverFrom(server.resolvedUrls?.local[0] ?? "", "rollup");
    expect(await hostOf(page)).toBe("shared");
    expect(await serviceWorkerOf(page)).toBe("/service-worker.js");
  });
});

describe("the command, installed in a site", () => {
  test("defines events at the service of dev, and writes types that the tracker takes", async () => {
    await write(
      "events.json",
      '[{ "id": "bought", "properties": { "article": "string", "prices": "list" } }]',
    );
    expect(await cli("definitions", "push", "events.json")).toMatchObject({ code: 0 });
    expect(await cli("typegen", "--out", "events.d.ts")).toMatchObject({ code: 0 });
    await write(
      "use.ts",
      `import { PeopleTrackingSDK } from "people-tracking-sdk";
import type { Events } from "./events.js";
const sdk = new PeopleTrackingSDK<Events>();
void sdk.track("bought", { article: "Kite", prices: [1, { net: 2 }] });
// @ts-expect-error: no such event
void sdk.track("sold", {});
// @ts-expect-error: no such property
void sdk.track("bought", { price: 1 });
`,
    );
    const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--types", ""];
    expect(await run(join(ROOT, "node_modules/.bin/tsc"), [...options, "use.ts"])).toEqual({
      code: 0,
      output: "",
    });
    expect(await cli("typegen", "--out", "events.d.ts", "--check")).toMatchObject({ code: 0 });
  });

  test("copies the worker files", async () => {
    expect(await cli("copy", "public", "--check")).toMatchObject({ code: 1 });
    expect(await cli("copy", "public")).toMatchObject({ code: 0 });
    expect(await cli("copy", "public", "--check")).toMatchObject({ code: 0 });
    const package_ = join(app, "node_modules/people-tracking-sdk/dist");
    for (const name of ["worker.js", "service-worker.js", "background-sync.js"])
      expect(await readFile(join(app, "public", name))).toEqual(await readFile(join(package_, name)));
  });
});

/** An installation that has no service, and a command `npx` of the test's. */
const withoutService = async (npx: string): Promise<Ended> => {
  const alone = await mkdtemp(join(folder, "alone-"));
  await run("cp", ["-RL", join(app, "node_modules/people-tracking-sdk"), alone]);
  await writeFile(join(alone, "npx"), `#!/bin/sh\n${npx}\n`, { mode: 0o755 });
  const bin = join(alone, "people-tracking-sdk/dist/cli.js");
  const script = `cd "${alone}" && exec "${process.execPath}" "${bin}" dev --port 4999 --origin http://a.example`;
  return run("/bin/sh", ["-c", script], { PATH: `${alone}:${process.env["PATH"]}` });
};

describe("people-tracking-sdk dev without people-service", () => {
  test("lets npx fetch and run the same version, with the same options", async () => {
    const { code, output } = await withoutService('echo "npx $@" >&2; exit 0');
    expect(code).toBe(0);
    expect(output).toMatch(
      /npx --yes people-service@\d+\.\d+\.\d+ dev --port=4999 --origin=http:\/\/a\.example --data-dir=\S+\.people-tracking\n/,
    );
  });

  test("says what to install where npx cannot fetch it", async () => {
    const { code, output } = await withoutService("exit 1");
    expect(code).toBe(1);
    expect(output).toMatch(/could not fetch people-service@.*npm install --save-dev people-service@/);
  });
});
