import { monotonicNow } from "../protocol/monotonic.js";
import { SECOND } from "../protocol/wire.js";

/**
 * A time-out that is fair to a page that was frozen or asleep: what fires late waits one more second, for the answer may
 * lie behind it in the page's queue of messages. And to a page whose timers a test winds forward: what fires early waits
 * for the rest.
 *
 * @returns stops it
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

/** What is answered in time; `undefined` for what is late or fails. */
export const within = <Answer>(ms: number, answer: Promise<Answer>): Promise<Answer | undefined> =>
  new Promise((resolve) => {
    const give = (given?: Answer): void => {
      stop();
      resolve(given);
    };
    const stop = after(ms, give);
    answer.then(give, () => give());
  });
