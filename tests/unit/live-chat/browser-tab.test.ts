import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { browserTab } from "../../../src/live-chat/browser-tab.js";
import { createLiveChatSession } from "../../../src/live-chat/create-live-chat-session.js";
import { infobip } from "../../../src/live-chat/infobip.js";
import { stubLocalStorage } from "../main/fake-storage.js";
import { settled } from "./fake-browser.js";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "warn").mockReturnValue();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const refuse = (): never => {
  throw new DOMException("denied", "SecurityError");
};

describe("the storage of a tab", () => {
  test("is shared with the other tabs", () => {
    const { storage } = stubLocalStorage();
    const tab = browserTab();
    tab.write("key", "text");
    expect(storage["key"]).toBe("text");
    storage["key"] = "of another tab";
    expect(tab.read("key")).toBe("of another tab");
  });

  test("is its own where the browser refuses", () => {
    vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse });
    const tab = browserTab();
    expect(tab.read("key")).toBeNull();
    tab.write("key", "text");
    expect(tab.read("key")).toBe("text");
    expect(browserTab().read("key")).toBeNull();
  });

  test("keeps for itself what no longer fits, until it fits", () => {
    const { storage, setItem } = stubLocalStorage();
    const tab = browserTab();
    tab.write("key", "before");
    setItem.mockImplementationOnce(refuse);
    tab.write("key", "kept");
    expect(tab.read("key")).toBe("kept");
    tab.write("key", "stored");
    expect(storage["key"]).toBe("stored");
    expect(tab.read("key")).toBe("stored");
  });
});

/** Runs in a browser with these locks. */
const runAlone = (locks: object | undefined) => {
  vi.stubGlobal("navigator", { locks });
  const work = vi.fn<() => Promise<void>>(() => Promise.resolve());
  return { work, done: browserTab().alone("name", work) };
};

describe("what runs alone", () => {
  test("runs on an insecure origin, which has no locks", async () => {
    const { work, done } = runAlone(undefined);
    await done;
    expect(work).toHaveBeenCalledOnce();
  });

  test("runs after 30 s without the lock of a tab that is suspended", async () => {
    const { work, done } = runAlone({
      request: (_: string, { signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        ),
    });
    await vi.advanceTimersByTimeAsync(29_999);
    expect(work).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(work).toHaveBeenCalledOnce();
  });

  test("runs once though it fails", async () => {
    const locks = { request: (_: string, __: object, run: () => Promise<void>) => run() };
    vi.stubGlobal("navigator", { locks });
    const work = vi.fn<() => Promise<void>>(() => Promise.reject(new Error("failed")));
    await expect(browserTab().alone("name", work)).rejects.toThrow("failed");
    expect(work).toHaveBeenCalledOnce();
  });
});

test("during server-side rendering nothing is asked, kept or thrown", async () => {
  const fetch = vi.fn<() => Promise<Response>>(() => Promise.reject(new Error("asked")));
  vi.stubGlobal("fetch", fetch);
  for (const chat of [createLiveChatSession(), infobip()]) {
    chat.sessionStarted();
    chat.signedIn(() => "jwt", "ann");
    await settled();
    expect(chat.session()).toBeNull();
    chat.signedOut();
  }
  expect(fetch).not.toHaveBeenCalled();
});
