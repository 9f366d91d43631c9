/** How far the page's clocks differ from its host's, measured with each message that the host posts on its own. */
import { PAGE_CLOCK_TOLERANCE_MS } from "../../protocol/host.js";
import type { HostClocks } from "../../protocol/host.js";
import { monotonicNow } from "../../protocol/monotonic.js";

/** @param isFirst - the message is a host's hello: what was measured before is another script's */
export type MeasureClocks = (clocks: HostClocks, isFirst: boolean) => void;
/**
 * A moment of the page's monotonic clock, by the host's. Early rather than late, by the least time that a message takes.
 * NaN before the first message of any host.
 */
export type HostMoment = (moment: number) => number;
/**
 * How far the page's wall clock was behind the host's at the last message, where that is more than it can be; 0
 * otherwise. Who finds the page's journal does not know its clock.
 */
export type ClockSkewMs = () => number;

export const createHostClock = (): [MeasureClocks, HostMoment, ClockSkewMs] => {
  /** How far the host's monotonic clock is ahead of the page's. */
  let monotonicOffset = NaN;
  let skewMs = 0;
  const measure: MeasureClocks = ({ now, monotonic }, isFirst) => {
    const offset = monotonic - monotonicNow();
    // A message takes time, by which its offset is too low: the one that took least is nearest.
    monotonicOffset = isFirst ? offset : Math.max(monotonicOffset, offset);
    const behindMs = Math.round(now + monotonicOffset - offset - Date.now());
    skewMs = Math.abs(behindMs) > PAGE_CLOCK_TOLERANCE_MS ? behindMs : 0;
  };
  return [measure, (moment) => moment + monotonicOffset, () => skewMs];
};
