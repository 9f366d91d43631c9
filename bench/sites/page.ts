/** The functions of a page of the benchmark. Each marks the trace at every step. */
import type { BenchEvent, Subject } from "./subject.js";

declare global {
  interface Window {
    bench: Bench;
    /** Set once its script has run. */
    subject: Subject;
  }
}

/** An event whose JSON has 300 bytes or a little more. */
const eventOf = (sequence: number): BenchEvent => ({
  sequence,
  name: "Product added to the basket",
  category: "kites/single-line/light-wind",
  product: `product-${(sequence * 7919) % 10_000}`,
  price: 49.9,
  currency: "EUR",
  quantity: 1 + (sequence % 3),
  campaign: "spring-2026-newsletter-second-edition",
  label: "add-to-basket-from-the-list-of-recommendations-below-the-product",
});

/** Runs work in a task of its own, so that the trace shows where it and its microtasks end. */
const task = <Result>(work: () => Result): Promise<Result> =>
  new Promise((resolve, reject) =>
    setTimeout(() => {
      try {
        resolve(work());
      } catch (thrown) {
        reject(thrown);
      }
    }),
  );

const mark = (name: string): void => void performance.mark(`bench:${name}`);

const bench = {
  mark,

  async init(): Promise<number> {
    mark("init");
    const startedAt = performance.now();
    await window.subject.init();
    const took = performance.now() - startedAt;
    mark("usable");
    return took;
  },

  /** Makes all calls in one loop. @returns the duration of the loop, without its microtasks */
  burst(first: number, count: number): Promise<number> {
    const events = Array.from({ length: count }, (_, index) => eventOf(first + index));
    const { subject } = window;
    return task(() => {
      mark("burst");
      const startedAt = performance.now();
      if (subject.trackAll) subject.trackAll(events);
      else for (const event of events) subject.track(event);
      return performance.now() - startedAt;
    });
  },

  /**
   * Makes one call every `gapMs`, each in a task of its own that does nothing else. All timers are set beforehand, because
   * setting the next one would cost more than some calls.
   *
   * @returns the milliseconds of each call by the page's clock, including the microtasks that it started
   */
  async paced(first: number, count: number, gapMs: number): Promise<number[]> {
    const { subject } = window;
    const took: number[] = [];
    for (let index = 0; index < count; index++) {
      const event = eventOf(first + index);
      setTimeout(
        () => {
          mark("call");
          const startedAt = performance.now();
          subject.track(event);
          queueMicrotask(() => took.push(performance.now() - startedAt));
        },
        (index + 1) * gapMs,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, (count + 1) * gapMs));
    return took;
  },

  /** One call each `gapMs`, with nothing marked or timed: all that it costs, a page without a tracker costs too. */
  stream(first: number, count: number, gapMs: number): Promise<void> {
    const { subject } = window;
    return new Promise((ended) => {
      let index = 0;
      const timer = setInterval(() => {
        subject.track(eventOf(first + index++));
        if (index < count) return;
        clearInterval(timer);
        ended();
      }, gapMs);
    });
  },

  /** Calls whose outcomes are awaited. @returns the milliseconds from each call to its outcome */
  async settled(first: number, count: number, gapMs: number): Promise<number[]> {
    const startedAt = performance.now();
    const pending: Promise<number>[] = [];
    for (let index = 0; index < count; index++) {
      const due = startedAt + index * gapMs;
      if (gapMs) await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      const calledAt = performance.now();
      const outcome = window.subject.track(eventOf(first + index)) as Promise<unknown>;
      pending.push(outcome.then(() => performance.now() - calledAt));
    }
    return Promise.all(pending);
  },
};

export type Bench = typeof bench;

window.bench = bench;
