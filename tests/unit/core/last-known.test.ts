/** What a host remembers of the record, so that looking at it costs no transaction. */
import { describe, expect, test } from "vitest";
import { MemoryTrackerStore } from "../../../src/core/failover/memory-tracker-store.js";
import { LastKnownStore } from "../../../src/core/last-known.js";
import type { TrackerStore } from "../../../src/core/ports.js";
import type { TrackerRecord } from "../../../src/core/tracker-record.js";

/** A store whose answers come when they are let go, in any order. */
class SlowStore extends MemoryTrackerStore {
  reads = 0;
  #held: (() => void)[] | null = null;

  hold(): void {
    this.#held = [];
  }

  /** Lets go of the answers, the last one first. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const answer of held.toReversed()) answer();
  }

  override commit: MemoryTrackerStore["commit"] = async (readSet, decide) => {
    const result = await super.commit(readSet, decide);
    await this.#turn();
    return result;
  };

  override read = async (): Promise<TrackerRecord> => {
    this.reads += 1;
    const { record } = this.held;
    await this.#turn();
    return record;
  };

  async #turn(): Promise<void> {
    const held = this.#held;
    if (held) await new Promise<void>((resolve) => held.push(resolve));
  }
}

const setUp = () => {
  const inner = new SlowStore();
  return { inner, store: new LastKnownStore(inner) };
};

const raise = (store: TrackerStore): Promise<null> =>
  store.commit({}, ({ record }) => ({
    change: { record: { ...record, generation: record.generation + 1 } },
    result: null,
  }));

describe("the last known record", () => {
  test("is the one that was committed, and costs no read", async () => {
    const { inner, store } = setUp();
    expect(store.lastKnown).toBeNull();
    await raise(store);
    expect((await store.look()).generation).toBe(1);
    expect(inner.reads).toBe(0);
  });

  test("is read where nothing is known, once", async () => {
    const { inner, store } = setUp();
    await store.look();
    await store.look();
    expect(inner.reads).toBe(1);
  });

  test("is read anew after another host has reported a change", async () => {
    const { inner, store } = setUp();
    await raise(store);
    await raise(inner);
    store.forget();
    expect((await store.look()).generation).toBe(2);
    expect(inner.reads).toBe(1);
  });

  test("is not what was read or decided before such a report, and answered after it", async () => {
    const { inner, store } = setUp();
    inner.hold();
    const [reading, committing] = [store.read(), raise(store)];
    await Promise.resolve();
    store.forget();
    inner.release();
    await Promise.all([reading, committing]);
    expect(store.lastKnown).toBeNull();
  });

  test("is that of the last decision, whichever answer comes last", async () => {
    const { inner, store } = setUp();
    inner.hold();
    const work = [raise(store), store.read(), raise(store)];
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    inner.release();
    await Promise.all(work);
    expect(store.lastKnown?.generation).toBe(2);
  });

  test("is unknown once the host has failed over to memory", async () => {
    const { inner, store } = setUp();
    Object.assign(inner, { kind: "disk" });
    await raise(store);
    Object.assign(inner, { kind: "memory" });
    expect(store.lastKnown).toBeNull();
  });
});
