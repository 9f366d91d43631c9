/** Converts between instants, which are milliseconds since the epoch, and ISO times. No other file of the core uses `Date`. */

/** ISO 8601, UTC, with milliseconds. */
export const iso = (instant: number): string => new Date(instant).toISOString();

export const instant = (time: string): number => Date.parse(time);
