/** Browser profiles with many waiting rows. They are created once, kept under `.cache`, and copied for each measurement. */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { BrowserContext, Page } from "playwright";
import { chromium } from "playwright";
import { CHROMIUM_ARGS, chromiumPath } from "../../tests/chromium.js";
import type { Collector } from "./collector.js";

const KEPT = resolve(".cache/bench/outbox");
/** In one page, one after another. */
const FILLED_AT_ONCE = 100_000;

export const browse = (profile: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, { executablePath: chromiumPath(), args: CHROMIUM_ARGS });

export const openPage = async (browser: BrowserContext, { origin }: Collector): Promise<Page> => {
  const page = await browser.newPage();
  await page.goto(`${origin}/site/index.html`);
  await page.waitForFunction(() => "floor" in window);
  return page;
};

const make = async (collector: Collector, waiting: number, folder: string): Promise<void> => {
  collector.reset(false);
  let browser = await browse(folder);
  const page = await openPage(browser, collector);
  // The worker itself creates the database and the row that is copied.
  await page.evaluate(async () => {
    await window.outbox.start("first");
    await window.outbox.track(1, 2);
  });
  await browser.close();
  for (let left = waiting; left > 0; left -= FILLED_AT_ONCE) {
    browser = await browse(folder);
    const filling = await openPage(browser, collector);
    await filling.evaluate((count) => window.outbox.fill(count), Math.min(left, FILLED_AT_ONCE));
    await browser.close();
  }
};

/** Makes a copy that the caller may change and must delete. */
export const filledProfile = async (collector: Collector, waiting: number): Promise<string> => {
  const kept = join(KEPT, String(waiting));
  if (!existsSync(kept)) {
    const made = `${kept}.making`;
    await rm(made, { recursive: true, force: true });
    await mkdir(made, { recursive: true });
    await make(collector, waiting, made);
    await rename(made, kept);
  }
  const copy = await mkdtemp(join(tmpdir(), "people-tracking-bench-"));
  await cp(kept, copy, { recursive: true });
  return copy;
};
