/**
 * Notices when requests are late: one that has reached its caller's time limit is given up, and a host that has responded
 * to nothing for as long as a request allows is reported as silent.
 */
import { monotonicNow } from "../../protocol/monotonic.js";
import { after } from "../after.js";

export const NEVER = Infinity;
export const NO_ANSWER = "the host did not answer in time";

/** All moments are of the page's monotonic clock. */
export interface WatchedRequest {
  /** When its caller gets an outcome, with or without a response. */
  limitAt: number;
  /** When it was sent to the present host; `NEVER` where there is none. */
  sentAt: number;
  /** How long the host may be silent before it counts as failed. */
  silenceMs: number;
  reject(why: unknown): void;
}

/**
 * @param pending - all requests, in the order in which they were made
 * @param respondedAt - when a host last responded to any of them
 */
export const createWatchdog = (
  pending: Iterable<WatchedRequest>,
  respondedAt: () => number,
  onSilence: () => void,
): [watch: (request: WatchedRequest) => void, stop: () => void] => {
  /** One timer for all requests. It ends with the last response: frameworks wait for a page without timers. */
  let stopTimer: (() => void) | undefined;
  let firesAt = NEVER;

  const watch = ({ limitAt, sentAt, silenceMs }: WatchedRequest): void => {
    const dueAt = Math.min(limitAt, sentAt + silenceMs);
    if (dueAt >= firesAt) return;
    stopTimer?.();
    firesAt = dueAt;
    stopTimer = after(Math.ceil(dueAt - monotonicNow()), inspect);
  };

  const inspect = (): void => {
    firesAt = NEVER;
    const now = monotonicNow();
    let isSilent = false;
    for (const request of pending) {
      if (now >= request.limitAt) request.reject(new Error(NO_ANSWER));
      else if (now >= request.sentAt + request.silenceMs) {
        // A busy host is not a failed one: responses to earlier requests count.
        if (respondedAt() > request.sentAt) request.sentAt = now;
        else isSilent = true;
      }
    }
    if (isSilent) onSilence();
    for (const request of pending) watch(request);
  };

  const stop = (): void => {
    stopTimer?.();
    firesAt = NEVER;
  };
  return [watch, stop];
};
