import type { Logger } from "pino";
import { createAuthenticator, type Authenticate } from "./authorization.js";
import { limitBytesInFlight } from "./bytes-in-flight.js";
import { addressReader, type AddressOf, type TrustProxy } from "./client-address.js";
import type { Limits } from "./limits.js";

/** What each route uses before its own work: the address and the credential of a request, and the memory limit. */
export interface Edge {
  addressOf: AddressOf;
  authenticate: Authenticate;
  inFlight: ReturnType<typeof limitBytesInFlight>;
}

export function createEdge(limits: Limits, trustProxy: TrustProxy | undefined, logger: Logger): Edge {
  const addressOf = addressReader(trustProxy, () =>
    logger.warn(
      "requests carry X-Forwarded-For, which is ignored: set TRUST_PROXY, or all clients behind the proxy are " +
        "limited as one address; 0 where there is no proxy",
    ),
  );
  return {
    addressOf,
    authenticate: createAuthenticator(limits.failedAuthenticationsPerMinute, addressOf),
    inFlight: limitBytesInFlight(limits.bytesInFlight, limits.bytesInFlightPerAddress),
  };
}
