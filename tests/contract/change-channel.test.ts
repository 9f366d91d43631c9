import { afterEach, describe, expect, test, vi } from "vitest";
import { changeChannel } from "../../src/adapters/change-channel.js";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function refuse(): never {
  throw new DOMException("denied", "SecurityError");
}

/** Node delivers messages between turns of its loop. */
const delivered = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => void setImmediate(resolve));
};

describe("the change channel", () => {
  test("two hosts hear of each other's changes at once, and of many in a row a second time", async () => {
    const [one, other] = [changeChannel("a"), changeChannel("a")];
    let heard = 0;
    other.listen(() => (heard += 1));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    for (let n = 0; n < 50; n++) one.announce();
    await delivered();
    expect(heard).toBe(1);
    vi.advanceTimersByTime(200);
    await delivered();
    expect(heard).toBe(2);
    vi.advanceTimersByTime(10_000);
    await delivered();
    expect(heard).toBe(2);
    one.announce();
    one.announce({ atOnce: true });
    await delivered();
    expect(heard).toBe(4);
    one.close();
    other.close();
  });

  test("a page that hosts itself hears nothing while it is away, and looks once when it is back", async () => {
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    const hosted = changeChannel("c");
    vi.unstubAllGlobals();
    const [one, other] = [changeChannel("c"), changeChannel("c")];
    const heard: string[] = [];
    hosted.listen(() => heard.push("page"));
    other.listen(() => heard.push("other"));
    const bothHear = async (): Promise<void> => {
      heard.length = 0;
      one.announce();
      await vi.waitFor(() => expect(heard.toSorted()).toEqual(["other", "page"]));
    };
    page.dispatchEvent(new Event("pageshow"));
    expect(heard).toEqual([]);
    await bothHear();

    page.dispatchEvent(new Event("pagehide"));
    heard.length = 0;
    one.announce();
    await vi.waitUntil(() => heard.length > 0);
    expect(heard).toEqual(["other"]);

    page.dispatchEvent(new Event("pageshow"));
    expect(heard).toEqual(["other", "page"]);
    await bothHear();

    for (const channel of [hosted, one, other]) channel.close();
    page.dispatchEvent(new Event("pagehide"));
    page.dispatchEvent(new Event("pageshow"));
    expect(heard).toHaveLength(2);
  });

  test.each([
    ["missing", undefined],
    ["refused", refuse],
    [
      "closed by the browser",
      class extends EventTarget {
        postMessage() {
          throw new DOMException("closed", "InvalidStateError");
        }
        close() {}
      },
    ],
  ])("a channel that is %s is harmless", (_, channel) => {
    vi.useFakeTimers();
    vi.stubGlobal("BroadcastChannel", channel);
    const changes = changeChannel("b");
    const stop = changes.listen(() => undefined);
    expect(() => {
      changes.announce();
      vi.runAllTimers();
      stop();
      changes.close();
    }).not.toThrow();
  });
});
