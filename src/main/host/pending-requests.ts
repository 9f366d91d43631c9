/**
 * The requests to the host that have no response yet. Each stays pending until a host responds or its caller's time is
 * up: a host that replaces a failed one gets all of them again, in the same order, so requests must be idempotent.
 */
import type { Host } from "../../protocol/host.js";
import { monotonicNow } from "../../protocol/monotonic.js";
import { SECOND } from "../../protocol/wire.js";
import type { CallHost } from "./call-host.js";
import type { WatchedRequest } from "./watchdog.js";
import { NEVER, createWatchdog } from "./watchdog.js";

/** A host that responds to nothing for this long counts as failed. */
export const SILENCE_TIMEOUT_MS = 3 * SECOND;

interface PendingRequest extends WatchedRequest {
  send(): void;
}

/**
 * Sends a request to the present host, or to the next one.
 *
 * @param args made anew for each host that is sent the request
 * @param limitMs the response is `undefined` after this long
 * @param silenceMs for a request to which a healthy host may take longer than three seconds to respond
 * @throws why it could not be sent
 */
export type RequestHost = <Method extends keyof Host>(
  method: Method,
  args: () => Parameters<Host[Method]>,
  limitMs?: number,
  silenceMs?: number,
) => Promise<Awaited<ReturnType<Host[Method]>> | undefined>;

export interface PendingRequests {
  request: RequestHost;
  isEmpty(): boolean;
  /** Some are pending, and the page is attached to a host that may respond. */
  areUnderWay(): boolean;
  /** Sends all that is pending to this host, and later requests at once. */
  attach(call: CallHost): void;
  /** Keeps all that is pending for the next host. Later responses of this one do not count. */
  detach(): void;
}

/**
 * @param onWaiting - a request was made while there is no host to send it to
 * @param onSilence - the host counts as failed
 * @param onSettled - one request fewer is pending
 */
export const createPendingRequests = (
  onWaiting: () => void,
  onSilence: () => void,
  onSettled: () => void,
): PendingRequests => {
  const pending = new Set<PendingRequest>();
  let respondedAt = 0;
  const watchdog = createWatchdog(pending, () => respondedAt, onSilence);
  /** A new object for each attachment. */
  let attachment: { call: CallHost } | undefined;

  const remove = (request: PendingRequest): void => {
    pending.delete(request);
    if (!pending.size) watchdog.stop();
    onSettled();
  };

  return {
    isEmpty: () => !pending.size,
    areUnderWay: () => !!attachment && !!pending.size,

    attach: (call) => {
      attachment = { call };
      for (const request of pending) request.send();
    },

    detach: () => {
      attachment = undefined;
      for (const request of pending) request.sentAt = NEVER;
    },

    request: (method, args, limitMs = NEVER, silenceMs = SILENCE_TIMEOUT_MS) =>
      new Promise((resolve, reject) => {
        const settle: typeof resolve = (response) => {
          remove(request);
          resolve(response);
        };
        const request: PendingRequest = {
          limitAt: monotonicNow() + limitMs,
          sentAt: NEVER,
          silenceMs,
          giveUp: () => settle(undefined),
          send: () => {
            const sentWith = attachment;
            request.sentAt = monotonicNow();
            watchdog.watch(request);
            sentWith!.call(
              method,
              args,
              (response) => {
                if (sentWith !== attachment) return;
                respondedAt = monotonicNow();
                settle(response);
              },
              (thrown) => {
                remove(request);
                reject(thrown);
              },
            );
          },
        };
        pending.add(request);
        if (attachment) request.send();
        else {
          watchdog.watch(request);
          onWaiting();
        }
      }),
  };
};
