/**
 * The requests to the host that have no response yet. Each stays pending until a host responds or its caller's time is
 * up: a host that replaces a failed one gets all of them again, in the same order, so requests must be idempotent.
 */
import type { Host } from "../../protocol/host.js";
import { monotonicNow } from "../../protocol/monotonic.js";
import { SECOND } from "../../protocol/wire.js";
import { callHost } from "./call-host.js";
import type { HostPort } from "./open-host.js";
import type { WatchedRequest } from "./watchdog.js";
import { NEVER, createWatchdog } from "./watchdog.js";

/** A host that responds to nothing for this long counts as failed. */
export const SILENCE_TIMEOUT_MS = 3 * SECOND;

interface PendingRequest extends WatchedRequest {
  /** Of the call to the present host; 0 where there is none. */
  callId: number;
  resolve(response: unknown): void;
  send(): void;
}

/**
 * Sends a request to the present host, or to the next one.
 *
 * @param args made anew for each host that is sent the request
 * @param limitMs rejects after this long
 * @param silenceMs for a request to which a healthy host may take longer than three seconds to respond
 * @throws why it could not be sent, or that no host did respond
 */
export type RequestHost = <Method extends keyof Host>(
  method: Method,
  args: () => Parameters<Host[Method]>,
  limitMs?: number,
  silenceMs?: number,
) => Promise<Awaited<ReturnType<Host[Method]>>>;

export interface PendingRequests {
  request: RequestHost;
  isEmpty(): boolean;
  /** Sends all that is pending to this host, and later requests at once. */
  attach(port: HostPort): void;
  /** Keeps all that is pending for the next host. Later responses of this one do not count. */
  detach(): void;
  onResponse(callId: number, response: unknown): void;
  /** Calls `onIdle` once nothing is pending, or there is no host that may respond. */
  close(onIdle: () => void): void;
}

/**
 * @param onWaiting - a request was made while there is no host to send it to
 * @param onSilence - the host counts as failed
 */
export const createPendingRequests = (onWaiting: () => void, onSilence: () => void): PendingRequests => {
  const pending = new Set<PendingRequest>();
  let respondedAt = 0;
  const [watch, stopWatching] = createWatchdog(pending, () => respondedAt, onSilence);
  let host: HostPort | undefined;
  let onIdle: (() => void) | undefined;

  const remove = (request: PendingRequest): void => {
    pending.delete(request);
    if (!pending.size) stopWatching();
    closeIfIdle();
  };

  const closeIfIdle = (): void => {
    if (!host || !pending.size) onIdle?.();
  };

  return {
    isEmpty: () => !pending.size,

    attach: (port) => {
      host = port;
      for (const request of pending) request.send();
    },

    detach: () => {
      host = undefined;
      for (const request of pending) {
        request.callId = 0;
        request.sentAt = NEVER;
      }
    },

    onResponse: (callId, response) => {
      for (const request of pending) {
        if (request.callId !== callId) continue;
        respondedAt = monotonicNow();
        request.resolve(response);
      }
    },

    close: (act) => {
      onIdle = act;
      closeIfIdle();
    },

    request: (method, args, limitMs = NEVER, silenceMs = SILENCE_TIMEOUT_MS) =>
      new Promise((resolve, reject) => {
        const request: PendingRequest = {
          callId: 0,
          limitAt: monotonicNow() + limitMs,
          sentAt: NEVER,
          silenceMs,
          resolve: (response) => {
            remove(request);
            resolve(response as never);
          },
          reject: (thrown) => {
            remove(request);
            reject(thrown);
          },
          send: () => {
            try {
              request.callId = callHost(host!, method, args());
              request.sentAt = monotonicNow();
              watch(request);
            } catch (thrown) {
              request.reject(thrown);
            }
          },
        };
        pending.add(request);
        watch(request);
        if (host) request.send();
        else onWaiting();
      }),
  };
};
