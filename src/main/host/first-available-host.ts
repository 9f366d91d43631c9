import type { HostKind, TrackingError } from "../../protocol/api.js";
import { SECOND } from "../../protocol/wire.js";

/** Where no host is available, and requests are pending, all are tried again after this long. */
const RETRY_MS = SECOND;

/**
 * Makes the function that connects to the first available host, unless there is nothing to do. Its promise resolves with
 * the reason why no host is available.
 *
 * @param kinds - in the order in which they are tried
 * @param tryHost - connects to a host of this kind, or resolves with the reason why it cannot be used here
 * @param isDone - the page has a host, or needs none any more
 */
export const createConnect = (
  kinds: readonly HostKind[],
  tryHost: (kind: HostKind) => Promise<TrackingError | undefined>,
  isDone: () => boolean,
  hasRequests: () => boolean,
) => {
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
