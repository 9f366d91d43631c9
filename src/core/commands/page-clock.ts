/**
 * Converts the times that a page gives for its calls to the host's clock. The two clocks run on one machine and agree,
 * unless a site's test has replaced the page's: then all times of a message are moved by the difference.
 */
import type { InitRequest } from "../../protocol/host.js";
import { CALL_TIMEOUT_MS, PAGE_CLOCK_TOLERANCE_MS } from "../../protocol/host.js";

/**
 * Returns how far the page's clock is behind the host's, or 0 if the difference is within the tolerance.
 *
 * @param at When a call was made, by the page's clock.
 * @param calledAt When it was made, by the host's clock.
 */
export const pageClockSkew = (at: number, calledAt: number): number =>
  Math.abs(calledAt - at) > PAGE_CLOCK_TOLERANCE_MS ? calledAt - at : 0;

/**
 * Returns when `init()` was called, for a page that did not know its host's clocks yet: the page's own time, unless the call
 * would have timed out since then.
 */
export const plausibleInitAt = (at: number, now: number): number =>
  now - at < CALL_TIMEOUT_MS + PAGE_CLOCK_TOLERANCE_MS ? Math.min(at, now) : now;

/** The request of `init()`, with its times by the host's clock. */
export type TimedInit = Omit<InitRequest, "calledAt">;

/**
 * Converts the times of `init()`'s request to the host's clock.
 *
 * @param calledAt When it was called, by the host's clock.
 */
export const withHostTimes = ({ at, liveChat, view }: InitRequest, calledAt: number): TimedInit => {
  const skewMs = pageClockSkew(at, calledAt);
  return {
    at: at + skewMs,
    liveChat,
    view: view && { ...view, command: { ...view.command, at: view.command.at + skewMs } },
  };
};
