/** How far the page's clocks differ from its host's, measured with each message that the host posts unasked. */
import type { HostClocks } from "../../protocol/host.js";
import { monotonicNow } from "../../protocol/monotonic.js";

export interface HostClock {
  /** @param isFirst - the message is a host's hello: what was measured before is another script's */
  measure(clocks: HostClocks, isFirst: boolean): void;
  /** Forgets what was measured: another host is opened. */
  reset(): void;
  /**
   * A moment of the page's monotonic clock, by the host's; NaN before the host's first message. Early rather than late,
   * by the least time that a message takes.
   */
  hostMoment(moment: number): number;
  /** How far the page's wall clock was behind the host's at the last message. */
  skewMs(): number;
}

export const createHostClock = (): HostClock => {
  /** How far the host's monotonic clock is ahead of the page's. */
  let monotonicOffset = NaN;
  let skewMs = 0;
  return {
    measure: ({ now, monotonic }, isFirst) => {
      const offset = monotonic - monotonicNow();
      // A message takes time, by which its offset is too low: the one that took least is nearest.
      monotonicOffset = isFirst ? offset : Math.max(monotonicOffset, offset);
      skewMs = Math.round(now + monotonicOffset - offset - Date.now());
    },
    reset: () => void (monotonicOffset = NaN),
    hostMoment: (moment) => moment + monotonicOffset,
    skewMs: () => skewMs,
  };
};
