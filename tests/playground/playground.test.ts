import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CHROMIUM_ARGS, chromiumPath } from "../chromium.js";

const START = fileURLToPath(new URL("../../playground/dist/start.js", import.meta.url));
const PHONE = { width: 390, height: 844 };
const WAIT = { timeout: 30_000 };
const SCRIPT = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;

let folder: string;
let playground: ChildProcess;
let origin: string;
let browser: Browser;
let page: Page;
/** What no page of the playground may do: log an error, throw, or run a script out of a text. */
let troubles: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "people-playground-"));
  playground = spawn(process.execPath, [START], {
    env: { ...process.env, DATA_DIR: join(folder, "data"), PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  origin = await new Promise<string>((resolve, reject) => {
    playground.stdout!.on("data", (line) => {
      const address = /http:\/\/localhost:\d+/.exec(String(line))?.[0];
      if (address) resolve(address);
    });
    playground.once("exit", (code) => reject(new Error(`the playground ended with ${code}`)));
  });
  browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGS });
});
afterAll(async () => {
  await browser?.close();
  playground?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

beforeEach(async () => {
  troubles = [];
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("dialog", (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(origin);
});
afterEach(async () => {
  await page.context().close();
  if (troubles.length > 0) throw new Error(troubles.join("\n"));
});

const timeline = () => page.getByRole("region", { name: "The person’s timeline on the service" });
const outbox = () => page.getByRole("region", { name: "Rows of the outbox" });

const say = async (text: string): Promise<void> => {
  await page.getByRole("button", { name: "Live Chat", exact: true }).first().click();
  await page.getByLabel("Your message").fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
};
const search = async (text: string): Promise<void> => {
  await page.getByLabel("Search kites").fill(text);
  await page.getByLabel("Search kites").press("Enter");
};

describe("the playground", () => {
  test("what a visitor did stands on the timeline once a chat has made a lead of them", async () => {
    await page
      .getByRole("button", { name: /^Add .* to the bag$/ })
      .first()
      .click();
    await say("Hello");
    await page.getByText("Chat started: you are a lead.").waitFor();
    await expect.poll(() => timeline().getByText("addedToBag").count(), WAIT).toBeGreaterThan(0);
  });

  test("a chat that is started while the service is off makes a lead once it is on", async () => {
    await page.getByRole("switch").click();
    await page.locator('.connection[data-up="false"]').waitFor();
    await say("Hello");
    await page.getByText("The chat starts once the service answers.").waitFor();
    await page.getByRole("switch").click();
    await page.getByText("Chat started: you are a lead.").waitFor();
    expect(await page.getByRole("log").getByText("You: Hello").count()).toBe(1);
    // The browser itself logs each request that does not arrive.
    troubles = troubles.filter((text) => !text.startsWith("Failed to load resource"));
  });

  test("signed in and out, the page says who is there", async () => {
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: /Mara Lindqvist/ }).click();
    await expect.poll(() => timeline().getByText("pageView").count(), WAIT).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Mara Lindqvist", exact: true }).click();
    await page.getByLabel("Account").getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  });

  test("script in what people type is text in the page, the outbox, the chat and the timeline", async () => {
    await search(SCRIPT);
    await page.getByText(`Nothing for “${SCRIPT}”`).waitFor();
    await say(SCRIPT);
    await page.getByRole("log").getByText(SCRIPT).waitFor();
    // The message arrives as a newer row above it, a moment later.
    const searched = timeline()
      .getByRole("listitem")
      .filter({ has: page.locator(".row-what", { hasText: "searched" }) });
    await searched.locator("summary").click();
    await searched.getByText(JSON.stringify(SCRIPT).slice(1, -1)).first().waitFor();
    expect(await page.locator("img[src=x]").count()).toBe(0);
  });

  for (const view of ["Shop", "Live Chat", "Tracker"])
    test(`on a phone, ${view} has a heading, a main part and nothing beyond the right edge`, async () => {
      await page.setViewportSize(PHONE);
      await page.getByLabel("Views").getByRole("button", { name: view }).click();
      expect(await page.getByRole("main").count()).toBe(1);
      expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(PHONE.width);
    });

  test("of more rows than the outbox shows, it says how many there are and which it shows", async () => {
    await page.getByRole("switch").click();
    // The switch itself turns before the server has been told.
    await page.locator('.connection[data-up="false"]').waitFor();
    const add = page.getByRole("button", { name: /^Add .* to the bag$/ }).first();
    for (let count = 0; count < 60; count++) await add.click();
    // Also of up to three more: the line may have been cut before what a visit begins with went out.
    await outbox()
      .getByText(/^The 50 that go first, of 6[0-3]$/)
      .waitFor();
    expect(await outbox().locator(".row").count()).toBe(50);
    await page.getByRole("switch").click();
    await page.getByText("Empty: all that was done here has been delivered.").waitFor();
  });
});
