import { afterEach, expect, test, vi } from "vitest";
import { changeChannel } from "../../src/adapters/change-channel.js";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("two hosts hear of each other's changes, once a task", async () => {
  const [one, other] = [changeChannel("a"), changeChannel("a")];
  let heard = 0;
  other.listen(() => (heard += 1));
  one.announce();
  one.announce();
  await vi.waitUntil(() => heard > 0);
  expect(heard).toBe(1);
  one.close();
  other.close();
});

test.each([
  ["missing", undefined],
  [
    "refused",
    function refuse() {
      throw new DOMException("denied", "SecurityError");
    },
  ],
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
