import { SECOND } from "../protocol/wire.js";

/** Milliseconds that never run backwards, but where a page has a variable of this name: `performance` can be replaced. */
export const elapsed = (): number =>
  (typeof globalThis.performance?.now === "function" ? performance : Date).now();

/**
 * A time-out that is fair to a page that was frozen or asleep: what fires late waits one more second, for the answer may
 * lie behind it in the page's queue of messages.
 *
 * @returns stops it
 */
export const after = (ms: number, act: () => void): (() => void) => {
  const due = elapsed() + ms + SECOND;
  let timer = setTimeout(() => {
    if (elapsed() < due) act();
    else timer = setTimeout(act, SECOND);
  }, ms);
  return () => clearTimeout(timer);
};

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
