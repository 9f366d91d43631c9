/** Firefox over WebDriver BiDi and Chromium over its debugging protocol: one driver for both. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser as Driven, LaunchOptions, Page } from "puppeteer-core";
import { launch } from "puppeteer-core";
import { CHROMIUM_ARGS, chromiumPath, findChromium } from "../../chromium.js";
import type { Browser, Engine, Profile, Tab } from "./engine.js";
import { program, programs } from "./programs.js";

/** Before that, Firefox may not have written localStorage to the disk, nor let go of its profile. */
const FIREFOX_REST_MS = 2000;

const callOf = (work: (...args: never[]) => unknown, args: unknown[]): string =>
  `(${work.toString()})(...${JSON.stringify(args)})`;

const tabOf = (page: Page): Tab => ({
  run: (work, ...args) => page.evaluate(callOf(work, args)) as Promise<never>,
  async runLast(work, ...args) {
    const closed = new Promise((resolve) => page.once("close", resolve));
    // A task later, so that the driver has its answer before the page is gone.
    await page.evaluate(`void setTimeout(() => ${callOf(work, args)})`);
    await closed;
  },
  close: () => page.close(),
});

const newProfile = async (options: LaunchOptions, restMs: number): Promise<Profile> => {
  const userDataDir = await mkdtemp(join(tmpdir(), "people-tracking-"));
  let driven: Driven | undefined;
  return {
    async browse(): Promise<Browser> {
      const browser = (driven = await launch({ ...options, userDataDir, headless: true }));
      return {
        async open(url) {
          const page = await browser.newPage();
          await page.goto(url);
          return tabOf(page);
        },
        async kill() {
          const child = browser.process();
          if (!child) throw new Error("the browser has no process");
          const ended = once(child, "exit");
          child.kill("SIGKILL");
          await ended;
          await sleep(restMs);
        },
      };
    },
    async remove() {
      await driven?.close();
      await rm(userDataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};

export const firefox: Engine = {
  name: "Firefox",
  missing: programs.firefox ? undefined : "firefox-esr",
  newProfile: () =>
    newProfile(
      {
        browser: "firefox",
        executablePath: program("firefox"),
        // As for tabs that a script opened: these tabs stand for them.
        extraPrefsFirefox: { "dom.allow_scripts_to_close_windows": true },
      },
      FIREFOX_REST_MS,
    ),
};

export const chromium: Engine = {
  name: "Chromium",
  missing: findChromium() ? undefined : "chromium",
  newProfile: () => newProfile({ executablePath: chromiumPath(), args: CHROMIUM_ARGS }, 0),
};
