import { SECOND } from "../../protocol/wire.js";
import type { Timers } from "../ports.js";

export const STALLED = Symbol("stalled");

/** A page leaves a host that says nothing for 3 s: within this, and what comes after, it has an answer. */
const STALL_MS = 2 * SECOND;
/** Where others make progress and this one does not, it stands behind something that does not move. */
const LONGEST_WAIT_MS = 5 * SECOND;
/** Timers of a machine that slept are all due at once: shorter ones let an answer come first. */
const STEP_MS = STALL_MS / 4;
/** A slow disk writes so many rows in this time. */
const ROWS_A_SECOND = 2_000;

interface Work {
  /** Changes with every answer of the disk: a busy one has not stalled. */
  progress: () => number;
  isAbandoned: () => boolean;
  rowsWritten: () => number;
}

/** What the work answers, or `STALLED`. */
export const withStallTimeout = <Answer>(
  timers: Timers,
  work: Promise<Answer>,
  { progress, isAbandoned, rowsWritten }: Work,
): Promise<Answer | typeof STALLED> =>
  new Promise((resolve, reject) => {
    let last = progress();
    let stalledMs = 0;
    let waitedMs = 0;
    let cancel: () => void;
    const step = (): void => {
      waitedMs += STEP_MS;
      stalledMs = progress() === last ? stalledMs + STEP_MS : 0;
      last = progress();
      const extraMs = (rowsWritten() / ROWS_A_SECOND) * SECOND;
      const isOver = stalledMs >= STALL_MS + extraMs || waitedMs >= LONGEST_WAIT_MS + extraMs;
      if (isAbandoned() || isOver) resolve(STALLED);
      else cancel = timers.after(STEP_MS, step);
    };
    cancel = timers.after(STEP_MS, step);
    void work.then(resolve, reject).finally(() => cancel());
  });
