import type { HostKind, TrackingError } from "../../protocol/api.js";

/**
 * Connects to the first available host.
 *
 * @param kinds - in the order in which they are tried
 * @param tryHost - connects to a host of this kind, or resolves with the reason why it cannot be used here
 * @returns why none is available
 */
export const connectToFirst = async (
  kinds: readonly HostKind[],
  tryHost: (kind: HostKind) => Promise<TrackingError | undefined>,
): Promise<TrackingError | undefined> => {
  let error: TrackingError | undefined;
  for (const kind of kinds) {
    error = await tryHost(kind);
    if (!error) return undefined;
  }
  return error;
};
