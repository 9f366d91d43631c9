import type { HostKind, TrackingError } from "../../protocol/api.js";
import { SECOND } from "../../protocol/wire.js";

/** Where no host is available, and requests are pending, all are tried again after this long. */
const RETRY_MS = SECOND;

export interface HostTrials {
  /** In the order in which they are tried. */
  kinds: readonly HostKind[];
  /** Connects to a host of this kind, or resolves with the reason why it cannot be used here. */
  tryHost(kind: HostKind): Promise<TrackingError | undefined>;
  /** Nothing is to be done: the page has a host, or needs none any more. */
  isDone(): boolean;
  hasRequests(): boolean;
}

/**
 * Connects to the first available host.
 *
 * @returns a function that does so unless it is done, whose promise resolves with the reason why none is available
 */
export const createConnect = ({ kinds, tryHost, isDone, hasRequests }: HostTrials) => {
  let connecting: Promise<TrackingError | undefined> | undefined;

  const tryEach = async (): Promise<TrackingError | undefined> => {
    let error: TrackingError | undefined;
    for (const kind of kinds) {
      error = await tryHost(kind);
      if (!error) return undefined;
    }
    if (hasRequests()) setTimeout(connect, RETRY_MS);
    return error;
  };

  const connect = async (): Promise<TrackingError | undefined> => {
    // The host that is being tried may be connected already.
    if (!connecting && isDone()) return undefined;
    return (connecting ??= tryEach().finally(() => (connecting = undefined)));
  };
  return connect;
};
