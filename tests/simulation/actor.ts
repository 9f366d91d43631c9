/** What lives in a browser, a host or a tab: it can die, be frozen and thaw, and sleeps when its machine does. */
import type { Scheduler } from "./scheduler.js";

export class Actor {
  readonly name: string;
  isAlive = true;
  thawedAt = -Infinity;
  #frozen = 0;
  #parked: (() => void)[] = [];
  protected readonly scheduler: Scheduler;

  constructor(scheduler: Scheduler, name: string) {
    this.scheduler = scheduler;
    this.name = name;
  }

  get isFrozen(): boolean {
    return this.#frozen > 0;
  }

  /** Now, when it thaws, or never. */
  run(task: () => void): void {
    if (!this.isAlive) return;
    if (this.isFrozen) this.#parked.push(task);
    else task();
  }

  after(delayMs: number, task: () => void): () => void {
    let isCancelled = false;
    const cancel = this.scheduler.after(delayMs, () => this.run(() => isCancelled || task()));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  freeze(): void {
    this.#frozen += 1;
  }

  thaw(): void {
    this.#frozen -= 1;
    if (this.isFrozen) return;
    this.thawedAt = this.scheduler.now;
    const parked = this.#parked;
    this.#parked = [];
    for (const task of parked) this.after(0, task);
  }

  die(): void {
    this.isAlive = false;
    this.#parked = [];
  }
}
