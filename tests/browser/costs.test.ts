/** What calls cost, counted: the same on every machine but for where the worker's groups happen to end. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Page } from "playwright";
import { numbersAccepted, upTo } from "./support/arrivals.js";
import { useSetting } from "./support/setting.js";
import { init, settle, stateOf, trackNumbers } from "./support/visit.js";

/** Loaded by the worker before its own script, and told to whoever asks. */
const COUNTING = `
  const counts = { messages: 0, transactions: 0, requests: 0, rowsWritten: 0, rowsRead: 0, reads: 0 };
  const watch = (prototype, names, count) => {
    for (const name of names) {
      const original = prototype[name];
      prototype[name] = function (...args) {
        const result = original.apply(this, args);
        count(result, this);
        return result;
      };
    }
  };
  watch(MessagePort.prototype, ["postMessage"], () => counts.messages++);
  watch(IDBDatabase.prototype, ["transaction"], () => counts.transactions++);
  watch(globalThis, ["fetch"], () => counts.requests++);
  watch(IDBObjectStore.prototype, ["add", "put"], (_, { name }) => (counts.rowsWritten += name === "outbox"));
  for (const { prototype } of [IDBObjectStore, IDBIndex])
    watch(prototype, ["get", "getAll", "openCursor"], (request, { name, objectStore }) => {
      if ((objectStore?.name ?? name) !== "outbox") return;
      counts.reads++;
      request.addEventListener("success", () => (counts.rowsRead += request.result?.length ?? 1));
    });
  new BroadcastChannel("counts").onmessage = ({ target }) => target.postMessage(counts);`;
interface Counts {
  messages: number;
  transactions: number;
  requests: number;
  rowsWritten: number;
  rowsRead: number;
  reads: number;
}

let own: string;
const folders: Record<string, string> = {};
beforeAll(async () => {
  own = await mkdtemp(join(tmpdir(), "people-tracking-costs-"));
  folders["/own/"] = own;
  await writeFile(join(own, "counting.js"), COUNTING);
  await writeFile(join(own, "worker.js"), 'import "./counting.js";\nimport "/sdk/worker.js";');
});
afterAll(() => rm(own, { recursive: true }));
const setting = useSetting({ folders, isBrowserFresh: true });

const inWorker = (page: Page): Promise<Counts> =>
  page.evaluate(
    () =>
      new Promise<Counts>((resolve) => {
        const channel = new BroadcastChannel("counts");
        channel.addEventListener("message", ({ data }) => {
          channel.close();
          resolve(data as Counts);
        });
        channel.postMessage("how many?");
      }),
  );
const differences = (before: Counts, after: Counts): Counts =>
  Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, count - before[name as keyof Counts]]),
  ) as unknown as Counts;

const openTab = async (): Promise<Page> => {
  const { browser, site } = setting;
  const page = await browser.newPage();
  await page.goto(site.origin);
  await page.waitForFunction(() => window.loaded);
  expect(await init(page, site.trackingKey, { workerUrl: "/own/worker.js" })).toMatchObject({
    success: true,
  });
  await settle(page);
  return page;
};

/** A tab whose worker counts, with nothing left to do. */
const openCountedTab = async (): Promise<Page> => {
  const { browser } = setting;
  await browser.addInitScript(() => {
    const { prototype } = MessagePort;
    const original = Reflect.get(prototype, "postMessage") as (...args: unknown[]) => void;
    Object.assign(window, { posted: 0 });
    prototype.postMessage = function (this: MessagePort, ...args: unknown[]) {
      (window as unknown as { posted: number }).posted++;
      original.apply(this, args);
    };
  });
  const page = await openTab();
  expect((await stateOf(page))?.host).toBe("shared");
  return page;
};
const posted = (page: Page): Promise<number> =>
  page.evaluate(() => (window as unknown as { posted: number }).posted);
const delivered = async (page: Page, count: number): Promise<void> => {
  await vi.waitFor(() => expect(numbersAccepted(setting.site)).toEqual(upTo(count)), 60_000);
  await page.waitForFunction(() => window.sdk.state?.outbox.waiting === 0);
};

test("1,000 calls in one task are one message to the worker, are read once, and leave in a few requests", async () => {
  const page = await openCountedTab();
  const [before, sentBefore] = [await inWorker(page), await posted(page)];
  expect(await trackNumbers(page, 0, 1000)).toBe(1000);
  await delivered(page, 1000);
  const costs = differences(before, await inWorker(page));
  expect((await posted(page)) - sentBefore).toBe(1);
  expect(costs.rowsWritten).toBe(1000);
  // A batch that begins before all are stored is read once more, and one that is smaller makes one more request.
  expect(costs.requests).toBeLessThanOrEqual(3);
  expect(costs.reads).toBeLessThanOrEqual(4);
  expect(costs.rowsRead).toBeLessThanOrEqual(1500);
  // A slow machine has time for more states, ten a second at most, each read in a transaction.
  expect(costs.messages).toBeLessThanOrEqual(25);
  expect(costs.transactions).toBeLessThanOrEqual(40);
});

test("what waits is read in as many reads as there are batches, and none of it is written again", async () => {
  const { site } = setting;
  const page = await openCountedTab();
  site.setReachable(false);
  expect(await trackNumbers(page, 0, 1000)).toBe(1000);
  await page.waitForFunction(() => window.sdk.state?.delivery.status === "retrying");
  const before = await inWorker(page);
  site.setReachable(true);
  await delivered(page, 1000);
  const costs = differences(before, await inWorker(page));
  // Two batches, and a try that began before the service was back.
  expect(costs.requests).toBeLessThanOrEqual(3);
  expect(costs.reads).toBeLessThanOrEqual(3);
  expect(costs.rowsRead).toBeLessThanOrEqual(1500);
  expect(costs.rowsWritten).toBe(0);
});

test("what changes is read as often for eight tabs as for one", async () => {
  const page = await openCountedTab();
  const others = [];
  while (others.length < 7) others.push(await openTab());
  const before = await inWorker(page);
  expect(await page.evaluate(() => window.sdk.optOut())).toMatchObject({ success: true });
  for (const tab of others) await tab.waitForFunction(() => window.sdk.state?.optedOut);
  const costs = differences(before, await inWorker(page));
  expect(costs.messages).toBeGreaterThanOrEqual(8);
  // It is written, read for the caller and for all, and looked at by the delivery; a tab that was just opened may add to
  // that. Read for each tab, it took eleven.
  expect(costs.transactions).toBeLessThanOrEqual(8);
});

test("a call that is answered leaves no timer behind in the page", async () => {
  const { browser } = setting;
  await browser.addInitScript(() => {
    const timers = new Set<number>();
    const [set, clear] = [window.setTimeout.bind(window), window.clearTimeout.bind(window)];
    const counted = (act: () => void, ms?: number): number => {
      const timer = set(() => {
        timers.delete(timer);
        act();
      }, ms);
      timers.add(timer);
      return timer;
    };
    const cleared = (timer: number): void => {
      timers.delete(timer);
      clear(timer);
    };
    Object.assign(window, { timers, setTimeout: counted, clearTimeout: cleared });
  });
  const page = await openTab();
  const left = await page.evaluate(async () => {
    const outcome = await window.sdk.track("numbered", { n: 0 });
    return outcome.success && (window as unknown as { timers: Set<number> }).timers.size;
  });
  expect(left).toBe(0);
});

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  ts: number;
}

test("the functions that init() runs were compiled with the script, not one by one as they are called", async () => {
  const { browser, site } = setting;
  await openTab();
  const page = await browser.newPage();
  await page.goto(site.origin);
  await page.waitForFunction(() => window.loaded);
  const chromium = browser.browser()!;
  await chromium.startTracing(page, {
    categories: ["v8", "disabled-by-default-v8.compile", "blink.user_timing"],
  });
  const outcome = await page.evaluate(async (key) => {
    window.sdk = new window.PeopleTrackingSDK({ workerUrl: "/own/worker.js" });
    performance.mark("called");
    const started = await window.sdk.init(key);
    performance.mark("usable");
    return started;
  }, site.trackingKey);
  expect(outcome).toMatchObject({ success: true });
  const { traceEvents } = JSON.parse((await chromium.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const mark = (name: string): TraceEvent => traceEvents.find((event) => event.name === name)!;
  const [called, usable] = [mark("called"), mark("usable")];
  const compiled = traceEvents.filter(
    ({ name, pid, tid, ts }) =>
      name === "V8.CompileCode" &&
      pid === called.pid &&
      tid === called.tid &&
      ts >= called.ts &&
      ts <= usable.ts,
  );
  // Were each compiled as it is called, it would be over fifty.
  expect(compiled.length).toBeLessThanOrEqual(25);
});
