import type { Timers } from "./ports.js";

/** Resolves as a promise does, or with `otherwise` after `delayMs`. */
export const within = <Answer, Otherwise>(
  timers: Timers,
  delayMs: number,
  promise: Promise<Answer>,
  otherwise: Otherwise,
): Promise<Answer | Otherwise> =>
  new Promise((resolve, reject) => {
    const cancel = timers.after(delayMs, () => resolve(otherwise));
    void promise.then(resolve, reject).finally(cancel);
  });
