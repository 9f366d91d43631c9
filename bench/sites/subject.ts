/** A subject of the benchmark on a page: a tracker behind the two calls that all trackers have. */
export interface Subject {
  /** Starts the tracker. Resolves once it accepts calls. */
  init(): Promise<unknown>;
  /** @returns what the tracker returns: some return a promise of the outcome */
  track(event: BenchEvent): unknown;
  /** Only floors have it: it takes all events at once. */
  trackAll?(events: readonly BenchEvent[]): void;
}

/** An event of about 300 bytes of JSON. The collector identifies it by `sequence`. */
export interface BenchEvent {
  sequence: number;
  [property: string]: string | number;
}

export const EVENT = "benchmark";

/** The URL of this subject's collector, on the page's origin, so that no tracker needs preflight requests. */
export const collector = (path = ""): string => `${location.origin}/collect/${path}`;

export const present = (subject: Subject): void => {
  Object.assign(globalThis, { subject });
};
