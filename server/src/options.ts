import type { Logger } from "pino";
import { HOUR, LIMITS, MINUTE } from "../../src/protocol/wire.js";
import type { DatabaseOptions } from "./database.js";
import type { Widget } from "./widget-jwt.js";

export interface Limits {
  /** Bytes of a body, as sent and as decompressed: 1 MiB. */
  bodyBytes: number;
  /** Operations a batch: 5,000. */
  operationsPerBatch: number;
  /** Batches a minute for one profile, however many registrations it has: 3,000. */
  batchesPerMinute: number;
  /** Batches of one profile under way at once, all but one of them waiting: 64. */
  batchesAtOnce: number;
  /** Registrations a minute for one profile: 120. */
  registrationsPerMinute: number;
  /** Chats that one address starts a minute, and again sign-ins: 600. */
  chatsPerMinute: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: LIMITS.batchBytes,
  operationsPerBatch: LIMITS.operationsPerBatch,
  // A browser that comes back with a million operations sends as fast as it is answered; that is no flood.
  batchesPerMinute: 3000,
  // A browser sends one at a time, however many tabs it has.
  batchesAtOnce: 64,
  registrationsPerMinute: 120,
  // A whole office may stand behind one address.
  chatsPerMinute: 600,
};

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
