import { monotonicNow } from "../protocol/monotonic.js";
import { SECOND } from "../protocol/wire.js";

/**
 * Sets a timeout that allows for a page that was suspended: a timer that fires late waits one more second, for the response
 * may be behind it in the page's queue of messages. It allows for a test that advances the page's timers, too: one that
 * fires early waits for the rest.
 *
 * @returns a function that stops it
 */
export const after = (ms: number, act: () => void): (() => void) => {
  const due = monotonicNow() + ms;
  let timer: ReturnType<typeof setTimeout>;
  const wait = (restMs: number, then: () => void): void => void (timer = setTimeout(then, restMs));
  const fire = (): void => {
    const lateMs = monotonicNow() - due;
    if (lateMs < -EARLY_MS) wait(-lateMs, fire);
    else if (lateMs < SECOND) act();
    else wait(SECOND, act);
  };
  wait(ms, fire);
  return () => clearTimeout(timer);
};

/** Browsers round both clocks, each in its own way. */
const EARLY_MS = 20;

/** The value of a promise; `undefined` if it rejects or takes longer than this. */
export const within = <Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> =>
  new Promise((resolve) => {
    const settle = (value?: Value): void => {
      stop();
      resolve(value);
    };
    const stop = after(ms, settle);
    promise.then(settle, () => settle());
  });
