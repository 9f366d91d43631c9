import { SECOND } from "../../protocol/wire.js";

/** Workers' clocks differ by a little; only a difference over this was made by setting the clock. */
const CLOCK_JITTER_MS = 5 * SECOND;

/**
 * When a wait that began at `from` ends, or `null` if it has passed or lies in a future that was never promised: a time
 * further ahead than its own maximum comes from a clock that was set back, and has passed.
 */
export const pending = (from: number, until: number, now: number): number | null =>
  now < until && now >= from - CLOCK_JITTER_MS ? until : null;
