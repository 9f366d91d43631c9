import type { Logger } from "pino";
import { HOUR, MINUTE } from "../../src/protocol/wire.js";
import type { DatabaseOptions } from "./database/database.js";
import type { TrustProxy } from "./http/client-address.js";
import type { Limits } from "./http/limits.js";
import type { Widget } from "./live-chat/widget-jwt.js";

export interface PeopleServiceOptions {
  /** PGlite in memory when absent. */
  database?: DatabaseOptions;
  /** Ends the start where it waits for a PostgreSQL server that is not there yet. */
  signal?: AbortSignal;
  /** A pino logger; silent when absent. */
  logger?: Logger;
  /** Milliseconds since the epoch; for tests. */
  clock?: () => number;
  /** Origins whose pages may call the service from elsewhere; `*` for any. None by default. */
  corsOrigins?: readonly string[];
  limits?: Partial<Limits>;
  /** The proxies in front, whose `X-Forwarded-For` tells clients apart. None by default: the socket's address counts. */
  trustProxy?: TrustProxy | undefined;
  /** Live Chat widgets whose JWTs are accepted. */
  widgets?: readonly Widget[];
  /** Where the routes begin: `/people`. */
  basePath?: string;
  /** How long a registration is good for: 1 h. */
  registrationLifetimeMs?: number;
  /** How often `sweep()` runs by itself: every minute; 0 for never. */
  sweepIntervalMs?: number;
}

export const DEFAULTS = {
  basePath: "/people",
  registrationLifetimeMs: HOUR,
  sweepIntervalMs: MINUTE,
} as const;
