import type { Logger } from "pino";
import { HOUR, MINUTE } from "../../src/protocol/wire.js";
import type { DatabaseOptions } from "./database/database.js";
import type { TrustProxy } from "./http/client-address.js";
import type { Limits } from "./http/limits.js";
import type { Widget } from "./live-chat/widget-jwt.js";

export interface PeopleServiceOptions {
  /** PGlite in memory by default. */
  database?: DatabaseOptions;
  /** Aborts the start while it waits for a PostgreSQL server. */
  signal?: AbortSignal;
  /** A pino logger; silent by default. */
  logger?: Logger;
  /** Returns milliseconds since the epoch; for tests. */
  clock?: () => number;
  /** Origins whose pages may call the service across origins; `*` for any, `http://localhost:*` for any port. None by default. */
  corsOrigins?: readonly string[];
  limits?: Partial<Limits>;
  /** The trusted proxies, by whose `X-Forwarded-For` clients are distinguished. None by default: the socket's address counts. */
  trustProxy?: TrustProxy | undefined;
  /** Live Chat widgets whose JWTs are accepted. */
  widgets?: readonly Widget[];
  /** The base path of all routes: `/people`. */
  basePath?: string;
  /** The lifetime of a registration: 1 h. */
  registrationLifetimeMs?: number;
  /** The interval of automatic sweeps: 1 min; 0 disables them. */
  sweepIntervalMs?: number;
}

export const DEFAULTS = {
  basePath: "/people",
  registrationLifetimeMs: HOUR,
  sweepIntervalMs: MINUTE,
} as const;
