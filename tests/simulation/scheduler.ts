/**
 * Owns time and chance: whatever waits is a task here, and the next one runs when nothing else can go on. Tasks due at
 * the same moment run in an order that the seed gives.
 */
import type { Random } from "../support/random.js";
import { integerBelow, pick, seededRandom } from "../support/random.js";

interface Task {
  due: number;
  /** Decides between tasks due at one moment. */
  tie: number;
  run: (() => void) | null;
}

const isBefore = (a: Task, b: Task): boolean => a.due < b.due || (a.due === b.due && a.tie < b.tie);

export class Scheduler {
  /** True time: milliseconds since the epoch, were nobody to set a clock. */
  now = Date.UTC(2026, 0, 5, 12);
  /** Ends every run: a violation was found, and what follows tells nothing. */
  isStopped = false;
  steps = 0;
  readonly random: Random;
  /** A binary heap, the next task first. */
  readonly #heap: Task[] = [];

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  after(delayMs: number, run: () => void): () => void {
    const task: Task = { due: this.now + Math.max(0, delayMs), tie: this.random(), run };
    this.#push(task);
    return () => {
      task.run = null;
    };
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability;
  }

  /** A whole number from 0 to the limit, both included. */
  upTo(limit: number): number {
    return integerBelow(this.random, limit + 1);
  }

  pick<Item>(items: readonly Item[]): Item {
    return pick(this.random, items);
  }

  /** Runs what is due within this time, or until `holds`; answers whether it came to hold. */
  async run(ms: number, holds: () => boolean = () => false): Promise<boolean> {
    const end = this.now + ms;
    await turned();
    for (;;) {
      if (this.isStopped || holds()) return true;
      const task = this.#heap[0];
      if (!task || task.due > end) break;
      this.#pop();
      if (!task.run) continue;
      this.now = Math.max(this.now, task.due);
      this.steps += 1;
      task.run();
      // Rejections that nobody handles come to light when the event loop turns, which takes its time.
      if (this.steps % STEPS_A_TURN === 0) await turned();
      else await settled();
    }
    this.now = end;
    return false;
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let index = heap.push(task) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(task, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

const STEPS_A_TURN = 64;

/** Every promise that can go on without a task has gone on: only then is it the next tick's turn. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** The same, and the event loop has turned. */
const turned = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
