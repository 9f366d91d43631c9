/** Gives up on what says nothing. */
import type { Timers } from "../core/ports.js";

export const SILENT = Symbol("silent");

/** Steps, for a machine that slept and a worker that was frozen wake with every timer due and the answer on its way. */
const STEPS = 4;

export interface Wait {
  silenceMs: number;
  longestMs: number;
  /** Changes whenever something like it is answered. */
  heard: () => number;
  /** Somebody else has given up. */
  isOver: () => boolean;
  /** Large work may take so much longer. */
  extraMs?: () => number;
}

export const unlessSilent = <Answer>(
  timers: Timers,
  work: Promise<Answer>,
  { silenceMs, longestMs, heard, isOver, extraMs = () => 0 }: Wait,
): Promise<Answer | typeof SILENT> =>
  new Promise((resolve, reject) => {
    const stepMs = silenceMs / STEPS;
    let last = heard();
    let silentMs = 0;
    let waitedMs = 0;
    let cancel: () => void;
    const step = (): void => {
      waitedMs += stepMs;
      silentMs = heard() === last ? silentMs + stepMs : 0;
      last = heard();
      const extra = extraMs();
      if (isOver() || silentMs >= silenceMs + extra || waitedMs >= longestMs + extra) resolve(SILENT);
      else cancel = timers.after(stepMs, step);
    };
    cancel = timers.after(stepMs, step);
    void work.then(resolve, reject).finally(() => cancel());
  });
