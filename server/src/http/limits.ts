import { LIMITS } from "../../../src/protocol/wire.js";
import { POSTGRES_DEFAULTS, type DatabaseOptions } from "../database/database.js";
import { REQUEST_BYTES } from "./bytes-in-flight.js";

/** The limits of the service. Each is a whole number of at least 1. */
export interface Limits {
  /** Bytes of a batch, both compressed and decompressed: 1 MiB. */
  bodyBytes: number;
  /** Operations of a batch: 5,000. */
  operationsPerBatch: number;
  /** Batches per minute for one profile, however many registrations it has: 3,000. */
  batchesPerMinute: number;
  /** Concurrent batches of one profile, of which one is applied and the others are queued: 64. */
  batchesAtOnce: number;
  /** Batches applied concurrently, of all profiles: two less than the connections to PostgreSQL, 2 at least; 1 on PGlite. */
  batchesAtWork: number;
  /** Registrations per minute for one profile: 120. */
  registrationsPerMinute: number;
  /** Registrations per minute from one address, new visitors included: 600. */
  registrationsPerAddressPerMinute: number;
  /** Chats that one address starts per minute, and separately its sign-ins: 600. */
  chatsPerMinute: number;
  /** Failed authentications per minute from one address: 300. */
  failedAuthenticationsPerMinute: number;
  /** Bytes of requests that are being received, queued or processed, of all addresses: 64 MiB. */
  bytesInFlight: number;
  /** The same for one address: 16 MiB. */
  bytesInFlightPerAddress: number;
}

const MIB = 1024 * 1024;
/** Connections reserved for authentication and all other requests, while batches use the others. */
const SPARE_CONNECTIONS = 2;

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: LIMITS.batchBytes,
  operationsPerBatch: LIMITS.operationsPerBatch,
  // A browser that returns with a million operations sends batch after batch. That is legitimate.
  batchesPerMinute: 3000,
  // A browser sends one batch at a time, however many tabs it has.
  batchesAtOnce: 64,
  batchesAtWork: POSTGRES_DEFAULTS.connections - SPARE_CONNECTIONS,
  registrationsPerMinute: 120,
  // A whole office may stand behind one address. A browser registers once an hour, so that 600 a minute are the browsers
  // of 36,000 people, or 600 people who come for the first time in the same minute.
  registrationsPerAddressPerMinute: 600,
  chatsPerMinute: 600,
  failedAuthenticationsPerMinute: 300,
  // One address can have sixteen of the largest batches in flight; four such addresses exhaust the total.
  bytesInFlight: 64 * MIB,
  bytesInFlightPerAddress: 16 * MIB,
};

/** Completes the given limits with the defaults for the database. */
export function resolveLimits(given: Partial<Limits>, database: DatabaseOptions): Limits {
  const limits = { ...DEFAULT_LIMITS, batchesAtWork: batchesAtWorkOn(database), ...given };
  for (const name of ["bytesInFlight", "bytesInFlightPerAddress"] as const)
    if (limits[name] < limits.bodyBytes + REQUEST_BYTES)
      throw new Error(
        `The limit ${name} is ${limits[name]}, which holds no body of ${limits.bodyBytes} bytes: ` +
          `raise it to ${limits.bodyBytes + REQUEST_BYTES} at least.`,
      );
  return limits;
}

/** PGlite runs in this thread, one statement at a time, so concurrent batches would only delay each other. */
const batchesAtWorkOn = (database: DatabaseOptions): number =>
  "url" in database
    ? Math.max(2, (database.connections ?? POSTGRES_DEFAULTS.connections) - SPARE_CONNECTIONS)
    : 1;
