import type { Timers, TrackerStore } from "../ports.js";
import { STALLED, withStallTimeout } from "./stall-timeout.js";

export interface DiskStore extends TrackerStore {
  close(): void;
}

/** No failure of the disk: whoever asked for the commit hears its cause. */
export class DecisionFailed extends Error {}

/** Says that the disk has not stalled, before it is done. */
export type Work<Result> = (disk: DiskStore, onProgress: () => void) => Promise<Result>;

/** Dexie wraps some errors: the reason is then the inner one. */
const isNamed = (error: unknown, ...names: readonly string[]): boolean => {
  const { name, inner } = Object(error) as { name?: unknown; inner?: { name?: unknown } };
  return names.some((one) => one === name || one === inner?.name);
};

const FULL = "the space that the browser gives this site is used up; free some space and call again";

/** The connection to the disk: opened when it is first needed, and once more where it was lost. */
export class DiskConnection {
  readonly #open: () => Promise<DiskStore>;
  readonly #timers: Timers;
  #opening: Promise<DiskStore> | null = null;
  #isOpen = false;
  #answers = 0;

  constructor(open: () => Promise<DiskStore>, timers: Timers) {
    this.#open = open;
    this.#timers = timers;
  }

  /**
   * @returns `STALLED` where the disk does not answer, or refuses
   * @throws where the disk works and this cannot be stored; when it is full, all stays as it was
   */
  async use<Result>(
    work: Work<Result>,
    isAbandoned: () => boolean,
    rowsWritten = (): number => 0,
  ): Promise<Result | typeof STALLED> {
    const progress = (): number => this.#answers;
    const watched = { progress, isAbandoned, rowsWritten };
    const answer = await withStallTimeout(this.#timers, this.#try(work, isAbandoned), watched);
    if (answer === STALLED) this.close();
    return answer;
  }

  /** An open that was never answered is waited for further: to ask again would only make the queue longer. */
  close(): void {
    if (this.#isOpen) this.#hangUp(this.#opening);
  }

  async #try<Result>(work: Work<Result>, isAbandoned: () => boolean): Promise<Result | typeof STALLED> {
    const onProgress = (): void => void (this.#answers += 1);
    for (let round = 1; round <= 2 && !isAbandoned(); round += 1) {
      const opening = (this.#opening ??= this.#opened());
      try {
        const result = await work(await opening, onProgress);
        onProgress();
        return result;
      } catch (error) {
        if (error instanceof DecisionFailed) throw error.cause;
        if (isNamed(error, "QuotaExceededError")) throw new Error(FULL, { cause: error });
        // A value that cannot be stored: the disk works.
        if (isNamed(error, "DataCloneError", "DataError", "ConstraintError")) throw error;
        this.#hangUp(opening);
      }
    }
    return STALLED;
  }

  async #opened(): Promise<DiskStore> {
    const disk = await this.#open();
    this.#isOpen = true;
    return disk;
  }

  #hangUp(opening: Promise<DiskStore> | null): void {
    if (!opening || this.#opening !== opening) return;
    this.#opening = null;
    this.#isOpen = false;
    opening.then(
      (disk) => disk.close(),
      () => undefined, // it never opened
    );
  }
}
