/**
 * Owns time and order: whatever waits (timers, the store's turns, answers on their way) is a task here, and the next one
 * runs when nothing else can. Tasks due at the same moment run in the order that the seed gives. Time itself never goes
 * back; wall clocks are readings of it that a test may set.
 */
import type { Random } from "./random.js";
import { integerBelow } from "./random.js";

interface Task {
  due: number;
  run: () => void;
}

export class VirtualTime {
  /** Milliseconds since the epoch, were nobody to set a clock. */
  now = Date.UTC(2026, 0, 5, 12);
  readonly #random: Random;
  readonly #tasks = new Set<Task>();

  constructor(random: Random) {
    this.#random = random;
  }

  after(delayMs: number, run: () => void): () => void {
    const task = { due: this.now + Math.max(0, delayMs), run };
    this.#tasks.add(task);
    return () => this.#tasks.delete(task);
  }

  /** Resolves once other tasks may have had their turn. */
  turn(delayMs = 0): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Runs what is due within this time; at its end, the clock shows it. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    while (await this.#runNext(end));
    this.now = end;
  }

  /** Runs until this holds; fails where it does not hold in time, which tells of a hang. */
  async until(holds: () => boolean | Promise<boolean>, limitMs = 60 * 60 * 1000): Promise<void> {
    const end = this.now + limitMs;
    await settled();
    while (!(await holds())) {
      if (!(await this.#runNext(end))) throw new Error(`it did not come to hold within ${limitMs} ms`);
    }
  }

  /** What a promise answers, with time running until it does. */
  async wait<Answer>(promise: Promise<Answer>, limitMs?: number): Promise<Answer> {
    let isDone = false;
    const done = promise.finally(() => {
      isDone = true;
    });
    done.catch(() => undefined); // told below
    await this.until(() => isDone, limitMs);
    return done;
  }

  async #runNext(end: number): Promise<boolean> {
    await settled();
    let due = Infinity;
    let ready: Task[] = [];
    for (const task of this.#tasks) {
      if (task.due > due) continue;
      if (task.due < due) ready = [];
      due = task.due;
      ready.push(task);
    }
    const task = ready[integerBelow(this.#random, ready.length)];
    if (!task || task.due > end) return false;
    this.#tasks.delete(task);
    this.now = Math.max(this.now, task.due);
    task.run();
    await settled();
    return true;
  }
}

/** Every promise that can go on without a task has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
