import { describe, expect, test } from "vitest";
import { lockOnDisk } from "../../../../src/core/failover/lock-on-disk.js";
import type { Hold, SendLock } from "../../../../src/core/ports.js";

const heldElsewhere = () => {
  const attempts: ({ steal: boolean } | undefined)[] = [];
  const lock: SendLock = {
    exclusive: true,
    tryHold: (options): Promise<Hold | null> => {
      attempts.push(options);
      return Promise.resolve(null);
    },
  };
  return { lock, attempts };
};

describe("the lock of a host that can fail over", () => {
  test("a host on disk waits for the lock", async () => {
    const { lock, attempts } = heldElsewhere();
    const onDisk = lockOnDisk({ kind: "disk" }, lock);
    expect(onDisk.exclusive).toBe(true);
    expect(await onDisk.tryHold({ steal: true })).toBeNull();
    expect(attempts).toEqual([{ steal: true }]);
  });

  test("a host in memory sends without the lock, and steals it from nobody", async () => {
    const { lock, attempts } = heldElsewhere();
    const inMemory = lockOnDisk({ kind: "memory" }, lock);
    expect(inMemory.exclusive).toBe(false);
    expect(await inMemory.tryHold({ steal: true })).not.toBeNull();
    expect(attempts).toEqual([]);
  });
});
