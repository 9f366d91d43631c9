/**
 * Decides whether a transaction waits a moment for the next calls of a stream. Calls that follow each other every few
 * milliseconds share transactions, for a transaction costs a device more than the call that it stores. A lone call never
 * waits.
 *
 * A loop that awaits each call must not get slower, and a host cannot see whether a call is awaited. But such a loop makes
 * most calls right after an answer, and makes none while a transaction waits: then no transaction waits for the next few
 * hundred calls.
 */

/** How long a transaction waits. Nobody sees a call's outcome that soon. */
export const HOLD_MS = 40;
/** A stream is so many calls in a row, within this time. */
export const STREAM_CALLS = 10;
const STREAM_MS = 500;
/** The next call of a loop that awaits each comes this soon after an answer. */
const RIGHT_AFTER_MS = 8;
/** After a wait in vain: so many calls do not wait, and twice as many after the next one. */
const FIRST_PAUSE = 256;
const LONGEST_PAUSE = 8_192;

export class StreamPace {
  /** The last calls: when they came, and whether that was right after an answer. */
  #calls: { at: number; isRightAfter: boolean }[] = [];
  #answeredAt = -Infinity;
  #pause = 0;
  #nextPause = FIRST_PAUSE;

  called(now: number): void {
    // Calls of one moment share a transaction as it is: they are a burst, not a stream.
    if (this.#calls.at(-1)?.at === now) return;
    const isRightAfter = now - this.#answeredAt < RIGHT_AFTER_MS;
    this.#calls = [...this.#calls, { at: now, isRightAfter }].slice(-STREAM_CALLS);
    this.#pause = Math.max(0, this.#pause - 1);
  }

  /** Whether the transaction that is to begin now waits for more calls. */
  waits(now: number): boolean {
    const [first] = this.#calls;
    if (!first || this.#calls.length < STREAM_CALLS || this.#pause > 0) return false;
    const isStream = now >= first.at && now - first.at <= STREAM_MS;
    return isStream && 2 * this.#calls.filter(({ isRightAfter }) => isRightAfter).length <= STREAM_CALLS;
  }

  /** @param came How many calls came while it waited. */
  waited(came: number): void {
    if (came > 0) {
      this.#nextPause = FIRST_PAUSE;
      return;
    }
    this.#pause = this.#nextPause;
    this.#nextPause = Math.min(LONGEST_PAUSE, 2 * this.#nextPause);
  }

  answered(now: number): void {
    this.#answeredAt = now;
  }
}
