/** What the benchmark measures on a page: a tracker behind the two calls that all trackers have. */
export interface Subject {
  /** Resolves once the tracker takes calls. */
  init(): Promise<unknown>;
  /** @returns what the tracker answers; some promise an outcome */
  track(event: BenchEvent): unknown;
  /** A floor, which takes all events at once instead. */
  trackAll?(events: readonly BenchEvent[]): void;
}

/** About 300 bytes as JSON. `sequence` is what the collector counts by. */
export interface BenchEvent {
  sequence: number;
  [property: string]: string | number;
}

export const EVENT = "benchmark";

/** Where this subject's collector is: on the page's origin, so that none pays for preflights. */
export const collector = (path = ""): string => `${location.origin}/collect/${path}`;

export const present = (subject: Subject): void => {
  Object.assign(globalThis, { subject });
};
