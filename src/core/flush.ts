/** Waits until what was accepted before is settled, and says how much of it is not. */
import { waitingIn } from "./lanes.js";
import type { Timers, TrackerStore } from "./ports.js";
import type { TrackerRecord } from "./tracker-record.js";

export class Flushes {
  readonly #store: TrackerStore;
  readonly #timers: Timers;
  readonly #looking = new Set<() => void>();

  constructor(store: TrackerStore, timers: Timers) {
    this.#store = store;
    this.#timers = timers;
  }

  /** Something was settled, here or by another host. */
  look(): void {
    for (const look of this.#looking) look();
  }

  /** @returns how many rows before `mark` still wait, once it is none or after `timeoutMs`. */
  async settled(mark: number, timeoutMs: number): Promise<number> {
    if (await this.#isSettled(mark)) return 0;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        cancel();
        this.#looking.delete(look);
        resolve();
      };
      const look = (): void =>
        void this.#isSettled(mark).then(
          (settled) => settled && finish(),
          () => undefined, // the store failed: the time-out answers
        );
      const cancel = this.#timers.after(timeoutMs, finish);
      this.#looking.add(look);
    });
    return this.count(mark);
  }

  /** How many rows before `mark` wait. */
  async count(mark: number): Promise<number> {
    const { lanes } = await this.#store.read();
    const counts = lanes
      .filter(({ waiting }) => waiting > 0)
      .map(({ profile }) => this.#store.countWaiting(profile, mark));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  async #isSettled(mark: number): Promise<boolean> {
    const record: TrackerRecord = await this.#store.read();
    if (waitingIn(record) === 0) return true;
    for (const lane of record.lanes) {
      const first = lane.waiting > 0 ? await this.#store.firstWaiting(lane.profile) : null;
      if (first !== null && first < mark) return false;
    }
    return true;
  }
}
