/** What a page tracks at its very end, when it is the last one, arrives after the next start. */
import { describe, expect, test } from "vitest";
import type { Tab } from "./support/engine.js";
import type { Setting } from "./support/setting.js";
import {
  expectEventually,
  numbersOf,
  numbersOnService,
  settle,
  startChat,
  trackNumbers,
  visit,
} from "./support/visit.js";

const journals = () => Object.keys(localStorage).filter((key) => key.includes(":journal:"));

/** The next visit takes in what was left behind. */
const visitAgain = async ({ browser, site }: Setting): Promise<Tab> => {
  const tab = await visit(browser, site);
  await expectEventually(() => tab.run(journals), []);
  return tab;
};

/** Tabs that end by `window.close()`: WebKit runs no `pagehide` there. */
export const closings = (setting: Setting): void => {
  describe("the task that closes the last tab", () => {
    test("what is tracked in the task that closes the last tab arrives at the next start", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      expect(await trackNumbers(tab, 0, 10)).toBe(10);
      // A person, who is known again also where the closing keeps the next visit from the disk (WebKit, see `awaitBackOff`).
      const lead = await startChat(tab);
      await settle(tab);
      await tab.runLast(() => {
        for (let n = 10; n < 30; n++) void window.sdk.track("numbered", { n });
        // A microtask later, for calls of one task travel together; still the same task.
        queueMicrotask(() => window.close());
      });
      await settle(await visitAgain(setting));
      expect(await numbersOf(lead, site)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    });
  });
};

/** Tabs that end from outside. */
export const lastHandlers = (setting: Setting): void => {
  describe("a page's last handlers", () => {
    test("what the last tab's handlers of its end track arrives at the next start", async () => {
      const { browser, site } = setting;
      const tab = await visit(browser, site);
      await settle(tab);
      await tab.run(() => {
        addEventListener("pagehide", () => void window.sdk.track("numbered", { n: 1 }));
        document.addEventListener("visibilitychange", () => {
          if (document.visibilityState === "hidden") void window.sdk.track("numbered", { n: 2 });
        });
      });
      await tab.close();
      expect(new Set(await numbersOnService(await visitAgain(setting), site))).toEqual(new Set([1, 2]));
    });
  });
};
