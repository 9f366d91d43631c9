/** Waits until the rows accepted before are settled, and counts those that are not. */
import type { Profile } from "../../protocol/api.js";
import type { LastKnownStore } from "../last-known.js";
import type { Timers } from "../ports.js";
import { waitingIn } from "../record/profile-queues.js";
import type { TrackerRecord } from "../tracker-record.js";

export class Flushes {
  readonly #store: LastKnownStore;
  readonly #timers: Timers;
  readonly #looking = new Set<() => void>();

  constructor(store: LastKnownStore, timers: Timers) {
    this.#store = store;
    this.#timers = timers;
  }

  /** Something was settled, here or by another host. */
  look(): void {
    for (const look of this.#looking) look();
  }

  /** @returns how many rows before `mark` still wait, once it is none or after `timeoutMs` */
  async settled(mark: number, timeoutMs: number): Promise<number> {
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
      look();
    });
    return this.count(mark);
  }

  /** How many rows before `mark` wait. */
  async count(mark: number): Promise<number> {
    const record = await this.#store.read();
    // Nothing was accepted since: the counters tell, and no row need be looked at.
    if (record.nextSeq <= mark) return waitingIn(record);
    const counts = waitingProfiles(record).map((profile) => this.#store.countWaiting(profile, mark));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  async #isSettled(mark: number): Promise<boolean> {
    const record = await this.#store.look();
    const profiles = waitingProfiles(record);
    // Nothing was accepted since: what waits is of before.
    if (profiles.length > 0 && record.nextSeq <= mark) return false;
    const first = profiles.length > 0 && (await this.#store.readWaiting(profiles, 1)).rows[0];
    return !first || first.seq >= mark;
  }
}

const waitingProfiles = ({ lanes }: TrackerRecord): Profile[] =>
  lanes.filter(({ waiting }) => waiting > 0).map(({ profile }) => profile);
