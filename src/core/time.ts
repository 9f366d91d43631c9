/** The one place of the core that names `Date`: instants are milliseconds since the epoch, the wire's times are ISO. */

/** ISO 8601, UTC, with milliseconds. */
export const iso = (instant: number): string => new Date(instant).toISOString();

export const instant = (time: string): number => Date.parse(time);
