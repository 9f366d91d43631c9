/** When a page journals, within which bounds, the outcomes of its calls, and how others take it in. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PeopleTrackingSDK } from "../../../src/main/index.js";
import type { TrackingOptions } from "../../../src/main/index.js";
import type { Command } from "../../../src/protocol/host.js";
import { idleState } from "./fake-host.js";
import type { FakePage } from "./fake-page.js";
import { isSettled, pass, settle } from "./fake-page.js";
import { stubLocalStorage } from "./fake-storage.js";
import { PAGE, command, journal } from "./left-journal.js";
import { leavePage, loadPage, using } from "./tracked-page.js";

const SUCCESS = { success: true, data: null };
const DAY = 24 * 60 * 60 * 1000;
const KEY = `people-tracking:shop:journal:${PAGE}`;
let page: FakePage;
let local: ReturnType<typeof stubLocalStorage>;

const start = async (options: TrackingOptions = {}): Promise<PeopleTrackingSDK> => {
  const sdk = using(
    new PeopleTrackingSDK({ liveChat: null, pageViews: "manual", namespace: "shop", ...options }),
  );
  expect(await sdk.init("key")).toEqual(SUCCESS);
  await vi.advanceTimersByTimeAsync(0); // journals are taken in a task later
  await settle();
  return sdk;
};
/** What the journals hold, each command with what its batch says of it. */
const journals = () =>
  Object.values(local.storage).map((text) => {
    const { batches, ...journal } = JSON.parse(text) as { v: number; batches: { commands: Command[] }[] };
    const commands = batches.flatMap(({ commands, ...shared }) =>
      commands.map((one) => ({ ...shared, ...one })),
    );
    return { ...journal, commands };
  });
beforeEach(() => {
  page = loadPage();
  Object.assign(page.navigator, { vendor: "Google Inc." });
  local = stubLocalStorage();
});
afterEach(leavePage);

describe("the unload journal", () => {
  test("has each call from pagehide to pageshow before the call returns", async () => {
    const sdk = await start();
    page.host.silent.add("submit");
    page.pagehide();
    expect(journals()).toEqual([]);
    void sdk.track("one");
    expect(journals()).toMatchObject([{ v: 3, commands: [{ n: 1, eventId: "one" }] }]);
    void sdk.track("two");
    expect(journals()).toMatchObject([{ commands: [{ n: 1 }, { n: 2, eventId: "two" }] }]);
    expect(journals()[0]?.commands[0]).not.toHaveProperty("deadline");
    page.comesBack();
    void sdk.track("three");
    expect(journals()[0]?.commands).toHaveLength(2);
  });

  test("has what is pending, until the host responds", async () => {
    const sdk = await start();
    const tracked = sdk.track("action");
    page.pagehide();
    expect(journals()).toMatchObject([{ commands: [{ n: 1 }] }]);
    page.comesBack();
    expect(await tracked).toEqual(SUCCESS);
    expect(journals()).toEqual([]);
  });

  test("has what a hidden page sends, and nothing of a visible one", async () => {
    const sdk = await start();
    await sdk.track("visible");
    expect(local.setItem).not.toHaveBeenCalled();
    page.document.visibilityState = "hidden";
    await Promise.all([sdk.track("a"), sdk.track("b")]);
    expect(local.setItem).toHaveBeenCalledOnce();
    expect(local.removeItem).toHaveBeenCalledOnce();
  });

  test("has each batch where the browser is not Chromium, and is removed without another write", async () => {
    Object.assign(page.navigator, { vendor: "Apple Computer, Inc." });
    const sdk = await start();
    await Promise.all(Array.from({ length: 100 }, () => sdk.track("action")));
    expect(local.setItem).toHaveBeenCalledOnce();
    expect(local.removeItem).toHaveBeenCalledOnce();
    expect(journals()).toEqual([]);
  });

  test("keeps a call from being reported as failed at its timeout: it is on disk, and sent until a host decides", async () => {
    const sdk = await start();
    page.prepare = (host) => host.silent.add("submit");
    page.host.silent.add("submit");
    const tracked = sdk.track("action");
    page.pagehide();
    page.comesBack();
    await pass(12_000);
    expect(await tracked).toEqual(SUCCESS);
    expect(journals()).toMatchObject([{ commands: [{ n: 1 }] }]);
    page.prepare = () => {};
    await pass(20_000);
    expect([...page.host.stored.values()]).toMatchObject([{ n: 1 }]);
    expect(page.host.batches.at(-1)?.[0]).not.toHaveProperty("deadline");
    expect(journals()).toEqual([]);
  });

  test("never has a call that was reported as failed", async () => {
    const sdk = await start();
    page.prepare = (host) => host.silent.add("submit");
    page.host.silent.add("submit");
    const tracked = sdk.track("action");
    await pass(12_000);
    expect(await tracked).toMatchObject({ success: false, error: { code: 2016 } });
    page.pagehide();
    expect(journals()).toEqual([]);
  });

  test("stays where a host could not decide, which gets the calls again", async () => {
    const sdk = await start();
    const error = { code: 2016, name: "E", message: "no storage", origin: "worker", platform: "fe-snippet" };
    page.host.refuse = () => error;
    page.host.undecided = true;
    expect(await sdk.track("visible")).toEqual({ success: false, error });
    const hidden = sdk.track("hidden");
    page.pagehide();
    page.comesBack();
    expect(await hidden).toEqual(SUCCESS);
    expect(journals()).toMatchObject([{ commands: [{ eventId: "hidden" }] }]);
    page.host.refuse = () => undefined;
    page.host.undecided = false;
    await pass(6000);
    expect(journals()).toEqual([]);
  });

  test("has calls that wait for init() where the page goes, and only there", async () => {
    page.prepare = (host) => host.silent.add("attach");
    const sdk = using(new PeopleTrackingSDK({ liveChat: null, pageViews: "manual", namespace: "shop" }));
    page.document.visibilityState = "hidden";
    void sdk.init("key");
    void sdk.track("early");
    await settle();
    page.window.dispatchEvent(new Event("visibilitychange"));
    expect(journals()).toEqual([]);
    page.pagehide();
    expect(journals()).toMatchObject([{ commands: [{ n: 1, eventId: "early" }] }]);
  });

  test("has Live Chat's changes, too", async () => {
    let change: ((session: null) => void) | undefined;
    const session = { id: "s", kind: "lead" as const, personId: "p", token: "t" };
    const sdk = await start({
      liveChat: {
        ready: () => Promise.resolve(),
        session: () => session,
        subscribe: (listener) => {
          change = listener;
          return () => {};
        },
      },
    });
    page.host.silent.add("submit");
    page.pagehide();
    change?.(null);
    expect(journals()).toMatchObject([{ commands: [{ type: "liveChat", session: null, left: "s" }] }]);
    sdk.close();
  });

  test("is bounded: what does not fit is left to the host", async () => {
    const sdk = await start();
    page.host.silent.add("submit");
    const name = "x".repeat(10_000);
    for (let n = 0; n < 100; n++) void sdk.track("action", { name });
    page.pagehide();
    const [text = ""] = Object.values(local.storage);
    expect(text.length).toBeLessThan(257 * 1024);
    const numbers = journals()[0]?.commands.map(({ n }) => n) ?? [];
    expect(numbers).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    expect(page.host.batches.flat()).toHaveLength(0); // posted, and not yet there
    await settle();
    expect(page.host.batches.flat()).toHaveLength(100);
  });

  test.each(["full", "missing"] as const)("is not needed where localStorage is %s", async (how) => {
    const sdk = await start();
    if (how === "missing") Reflect.deleteProperty(globalThis, "localStorage");
    else
      local.setItem.mockImplementation(() => {
        throw new DOMException("full", "QuotaExceededError");
      });
    page.pagehide();
    const tracked = sdk.track("action");
    expect(await isSettled(tracked)).toBe(true);
    expect(await tracked).toEqual(SUCCESS);
  });

  test("has what no host has acknowledged at close()", async () => {
    const sdk = await start();
    page.host.silent.add("submit");
    void sdk.track("action");
    sdk.close();
    expect(journals()).toMatchObject([{ commands: [{ n: 1 }] }]);
  });
});

const keyOf = (age: number) => `people-tracking:shop:journal:${String(age).padStart(16, "0")}`;

const tell = (newValue: string): void => {
  local.storage[KEY] = newValue;
  const event = Object.assign(new Event("storage"), { key: KEY, newValue, storageArea: local });
  page.window.dispatchEvent(event);
};

describe("the unload journal of a page that is gone", () => {
  test("is taken in by the next page under the id of its own, and removed with the response", async () => {
    local.storage[KEY] = journal({ commands: [command(1), command(2)] });
    await start();
    expect(page.host.asked("submit")).toEqual([[PAGE, expect.any(String), undefined]]);
    expect(page.host.batches).toEqual([[command(1), command(2)]]);
    expect(journals()).toEqual([]);
  });

  test.each([
    ["silent", (): void => void page.host.silent.add("submit")],
    ["without storage", (): void => void (page.host.undecided = true)],
  ] as const)("is left to the next page by a host that is %s", async (_how, prepare) => {
    local.storage[KEY] = journal();
    page.prepare = (host) => {
      host.refuse = () => ({ code: 2016, name: "E", message: "m", origin: "worker", platform: "p" });
      queueMicrotask(prepare);
    };
    await start();
    await pass(1000);
    expect(Object.keys(local.storage)).toEqual([KEY]);
  });

  test("is dropped with a warning where it is the oldest of more than a megabyte that no host took in", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const now = Date.now();
    const long = { ...command(1), properties: { text: "x".repeat(250 * 1024) } };
    for (const age of [3, 1, 6, 2, 5, 4]) {
      const pageId = keyOf(age).slice(-16);
      local.storage[keyOf(age)] = journal({ pageId, at: now - age * DAY, commands: [long] });
    }
    local.storage["people-tracking:other:journal:0000000000000007"] = journal({ at: now - 7 * DAY });
    page.prepare = (host) => {
      host.refuse = () => ({ code: 2016, name: "E", message: "m", origin: "worker", platform: "p" });
      host.undecided = true;
    };
    await start();
    await pass(1000);
    expect(Object.keys(local.storage).toSorted()).toEqual([
      "people-tracking:other:journal:0000000000000007",
      ...[1, 2, 3, 4].map(keyOf),
    ]);
    expect(warn.mock.calls.filter(([text]) => String(text).includes("are lost"))).toHaveLength(2);
  });

  test("stays where it was written to while it was taken in", async () => {
    local.storage[KEY] = journal();
    page.prepare = (host) => {
      host.refuse = () => {
        local.storage[KEY] = journal({ commands: [command(1), command(2)] });
        return undefined;
      };
    };
    await start();
    expect(journals()[0]?.commands).toHaveLength(2);
  });

  test("is erased by eraseLocalData() right after init(), before it is looked at", async () => {
    local.storage[KEY] = journal();
    const sdk = using(new PeopleTrackingSDK({ liveChat: null, pageViews: "manual", namespace: "shop" }));
    await sdk.init("key");
    expect(await sdk.eraseLocalData()).toEqual(SUCCESS);
    await vi.advanceTimersByTimeAsync(0);
    await settle();
    expect(journals()).toEqual([]);
    expect(page.host.asked("submit")).toEqual([]);
  });

  test("is taken in by a page that is open already, unless its own page removes it", async () => {
    await start();
    tell(journal());
    delete local.storage[KEY];
    await pass(1500);
    tell(journal());
    local.storage[KEY] = journal({ commands: [command(2)] }); // it goes on, and so removes it itself
    await pass(1500);
    expect(page.host.asked("submit")).toEqual([]);
    tell(journal());
    await pass(1500);
    expect(page.host.asked("submit")).toHaveLength(1);
    expect(journals()).toEqual([]);
  });

  test("does not keep the old generation of what is sent after the host reported an erase", async () => {
    page.prepare = (host) => {
      host.attachAnswer = { ok: true, generation: 7, state: idleState };
      host.silent.add("attach");
    };
    const sdk = using(new PeopleTrackingSDK({ liveChat: null, pageViews: "manual", namespace: "shop" }));
    const started = sdk.init("key");
    const tracked = sdk.track("early");
    await settle();
    page.pagehide();
    expect(journals()).toMatchObject([{ commands: [{ eventId: "early", generation: 0 }] }]);
    page.host.silent.clear();
    page.comesBack();
    expect(await started).toEqual(SUCCESS);
    expect(await tracked).toEqual(SUCCESS);
    expect([...page.host.stored.values()]).toMatchObject([{ eventId: "early", generation: 7 }]);
  });

  test("may have a part of a batch: a host that could not decide gets both parts again", async () => {
    const sdk = await start();
    const error = { code: 2016, name: "E", message: "no storage", origin: "worker", platform: "fe-snippet" };
    page.prepare = (host) => {
      host.refuse = () => error;
      host.undecided = true;
    };
    page.host.silent.add("submit");
    // More than a journal may hold.
    const text = "x".repeat(64 * 1024);
    const tracked = Array.from({ length: 6 }, () => sdk.track("large", { text }));
    page.pagehide();
    page.comesBack();
    expect(journals()[0]?.commands).toHaveLength(3);
    await pass(4000); // the silent host is left, and the next one cannot decide
    expect(page.hosts).toHaveLength(2);
    page.host.refuse = () => undefined;
    page.host.undecided = false;
    await pass(6000);
    expect(await Promise.all(tracked)).toEqual(tracked.map(() => SUCCESS));
    expect(page.host.stored.size).toBe(6);
    expect(journals()).toEqual([]);
  });
});
