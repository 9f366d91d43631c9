/** What calls cost, counted: the same on every machine but for where the worker's groups happen to end. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Page } from "playwright";
import { numbersAccepted, upTo } from "./support/arrivals.js";
import { useSetting } from "./support/setting.js";
import { init, settle, stateOf, trackNumbers } from "./support/visit.js";

/** Loaded by the worker before its own script, and told to whoever asks. */
const COUNTING = `
  const counts = {
    messages: 0, announcements: 0, transactions: 0, writing: 0, requests: 0, rowsWritten: 0, rowsRead: 0, reads: 0
  };
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
  watch(BroadcastChannel.prototype, ["postMessage"], (_, { name }) => (counts.announcements += name !== "counts"));
  watch(IDBDatabase.prototype, ["transaction"], ({ mode }) => {
    counts.transactions++;
    counts.writing += mode === "readwrite";
  });
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
  /** To pages. */
  messages: number;
  /** To other hosts. */
  announcements: number;
  transactions: number;
  /** Of them, those that may write. */
  writing: number;
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
  await untilCalm(page);
  return page;
};

/** Waits until what was begun before is worked off, and counts nothing any more. */
const untilCalm = async (page: Page): Promise<Counts> => {
  let last = await inWorker(page);
  for (let calm = 0; calm < 3;) {
    await page.waitForTimeout(150);
    const now = await inWorker(page);
    calm = JSON.stringify(now) === JSON.stringify(last) ? calm + 1 : 0;
    last = now;
  }
  return last;
};
const posted = (page: Page): Promise<number> =>
  page.evaluate(() => (window as unknown as { posted: number }).posted);
const delivered = async (page: Page, count: number): Promise<void> => {
  await vi.waitFor(() => expect(numbersAccepted(setting.site)).toEqual(upTo(count)), 60_000);
  await page.waitForFunction(() => window.sdk.state?.outbox.waiting === 0);
};

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  ts: number;
}

describe("what calls cost the worker", () => {
  test("a lone event takes three transactions, one of which reads, and one request", async () => {
    const page = await openCountedTab();
    for (let n = 0; n < 3; n++) {
      const before = await inWorker(page);
      expect(await trackNumbers(page, n, 1)).toBe(1);
      await delivered(page, n + 1);
      const costs = differences(before, await untilCalm(page));
      expect(costs).toMatchObject({ requests: 1, rowsWritten: 1, reads: 1, rowsRead: 1 });
      // A request that takes over a second has the lease renewed.
      expect(costs.transactions - costs.writing).toBe(1);
      expect(costs.writing).toBeLessThanOrEqual(3);
      expect(costs.writing).toBeGreaterThanOrEqual(2);
      // The answer; and that it waits, is sent, and has arrived.
      expect(costs.messages).toBeLessThanOrEqual(4);
      expect(costs.announcements).toBeLessThanOrEqual(3);
    }
  });

  test("a stream of 100 events takes a transaction for each at most, and two for each batch", async () => {
    const page = await openCountedTab();
    const before = await inWorker(page);
    const tookMs = await page.evaluate(async () => {
      const startedAt = performance.now();
      for (let n = 0; n < 100; n++) {
        void window.sdk.track("numbered", { n });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return performance.now() - startedAt;
    });
    await delivered(page, 100);
    const costs = differences(before, await untilCalm(page));
    expect(costs).toMatchObject({ rowsWritten: 100, rowsRead: 100 });
    // Each event waits a second for others.
    expect(costs.requests).toBeLessThanOrEqual(Math.ceil(tookMs / 1_000) + 1);
    expect(costs.reads).toBe(costs.requests);
    expect(costs.transactions - costs.writing).toBe(costs.requests);
    expect(costs.writing).toBeLessThanOrEqual(100 + 2 * costs.requests);
    // An answer for each, and five states a second.
    const fifths = Math.ceil((tookMs + 3_000) / 200);
    expect(costs.messages).toBeLessThanOrEqual(100 + fifths);
    expect(costs.announcements).toBeLessThanOrEqual(fifths);
  });

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
    // They are stored in one, and each batch is read and settled; a slow request has the lease renewed.
    expect(costs.transactions).toBeLessThanOrEqual(1 + 3 * costs.requests);
    // A slow machine has time for more states, five a second at most.
    expect(costs.messages).toBeLessThanOrEqual(25);
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
    // Each try takes the lease, reads and settles; each batch after its first is read and settled.
    expect(costs.transactions).toBeLessThanOrEqual(3 * costs.requests + 2);
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
    // It is written, and what was written is shown; a tab that was just opened may add to that.
    expect(costs.transactions).toBeLessThanOrEqual(4);
  });
});

describe("what calls cost the page", () => {
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
});
