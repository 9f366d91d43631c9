import { describe, expect, test } from "vitest";
import { createFairQueue } from "../../src/batches/fair-queue.js";

const settle = () => new Promise((resolve) => setTimeout(resolve));

/** A queue whose jobs end on demand; `begun` has them in the order of their start. */
function newTurns(atWork: number) {
  const enqueue = createFairQueue(atWork);
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const results: Promise<unknown>[] = [];
  const add = (name: string, cost = 10): Promise<string> => {
    const result = enqueue(name[0]!, cost, () => {
      begun.push(name);
      return new Promise<string>((resolve, reject) => {
        ends.set(name, (error) => (error ? reject(error) : resolve(name)));
      });
    });
    results.push(result.catch(() => undefined));
    return result;
  };
  return {
    begun,
    add,
    settle,
    async end(name: string, error?: Error) {
      ends.get(name)!(error);
      ends.delete(name);
      await settle();
    },
    /** Ends the running jobs, the oldest first, until none is left. */
    async endAll() {
      await settle();
      while (ends.size) await this.end([...ends.keys()][0]!);
      await Promise.all(results);
    },
  };
}

describe("the fair queue", () => {
  test("serves keys with equal jobs round-robin, however many a key has queued", async () => {
    const turns = newTurns(1);
    for (const name of ["a1", "a2", "a3", "a4", "b1", "b2", "c1"]) void turns.add(name);
    await turns.endAll();
    expect(turns.begun).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
  });

  test("serves a late key in the current round or the next, not behind the whole queue", async () => {
    const turns = newTurns(1);
    for (const key of ["a", "b", "c"])
      for (const number of [1, 2, 3, 4, 5]) void turns.add(`${key}${number}`);
    await turns.settle();
    for (const name of ["a1", "b1", "c1", "a2"]) await turns.end(name);
    void turns.add("d1");
    await turns.endAll();
    expect(turns.begun.indexOf("d1")).toBeLessThan(9);
  });

  test("lets a small job overtake the large ones of twenty other keys, which keep their share", async () => {
    const turns = newTurns(1);
    const busy = Array.from({ length: 20 }, (_, index) => String.fromCodePoint("a".charCodeAt(0) + index));
    for (const number of [1, 2, 3]) for (const key of busy) void turns.add(`${key}${number}`, 1000);
    await turns.settle();
    await turns.end("a1");
    void turns.add("z1", 1);
    await turns.endAll();
    expect(turns.begun.slice(0, 4)).toEqual(["a1", "b1", "z1", "c1"]);
    expect(turns.begun).toHaveLength(61);
  });

  test("does not starve a large job by endless small jobs of another key", async () => {
    const turns = newTurns(1);
    void turns.add("a0", 10);
    void turns.add("b", 100);
    for (let number = 1; number <= 50; number++) void turns.add(`a${number}`, 10);
    await turns.endAll();
    expect(turns.begun.indexOf("b")).toBeLessThan(12);
  });

  test("does not starve a large job by an endless series of new keys", async () => {
    const turns = newTurns(1);
    void turns.add("a", 10);
    void turns.add("b", 100);
    await turns.settle();
    let previous = "a";
    for (let number = 0; number < 50 && !turns.begun.includes("b"); number++) {
      const next = String.fromCodePoint(0x4e00 + number);
      void turns.add(next, 10);
      await turns.end(previous);
      previous = next;
    }
    expect(turns.begun).toContain("b");
    expect(turns.begun.length).toBeGreaterThan(5);
    await turns.endAll();
  });

  test("runs the jobs of one key one after the other, and those of other keys concurrently", async () => {
    const turns = newTurns(3);
    for (const name of ["a1", "a2", "b1"]) void turns.add(name);
    await turns.settle();
    expect(turns.begun).toEqual(["a1", "b1"]);
    await turns.end("b1");
    expect(turns.begun).toEqual(["a1", "b1"]);
    await turns.end("a1");
    expect(turns.begun).toEqual(["a1", "b1", "a2"]);
    await turns.endAll();
  });

  test("runs no more jobs at once than its concurrency", async () => {
    const turns = newTurns(2);
    for (const name of ["a1", "b1", "c1", "d1"]) void turns.add(name);
    await turns.settle();
    expect(turns.begun).toEqual(["a1", "b1"]);
    await turns.end("b1");
    expect(turns.begun).toEqual(["a1", "b1", "c1"]);
    await turns.endAll();
  });

  test("rejects the caller of a failed job and starts the next", async () => {
    const turns = newTurns(1);
    const [first, second] = [turns.add("a1"), turns.add("a2")];
    await turns.settle();
    const failure = first.catch((error: unknown) => error);
    await turns.end("a1", new Error("broken"));
    expect(await failure).toEqual(new Error("broken"));
    await turns.endAll();
    expect(await second).toBe("a2");
  });

  test("reads sockets between two jobs that never wait", async () => {
    const enqueue = createFairQueue(1);
    const seen: string[] = [];
    const first = enqueue("a", 1, async () => void seen.push("a"));
    const second = enqueue("a", 1, async () => void seen.push("b"));
    // Data from a socket arrives in a macrotask like this one.
    setImmediate(() => seen.push("socket"));
    await Promise.all([first, second]);
    expect(seen).toEqual(["a", "socket", "b"]);
  });
});
