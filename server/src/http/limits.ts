import { LIMITS } from "../../../src/protocol/wire.js";
import { POSTGRES_DEFAULTS, type DatabaseOptions } from "../database/database.js";
import { REQUEST_BYTES } from "./bytes-in-flight.js";

/** What the service takes at most. Each is a whole number of at least 1. */
export interface Limits {
  /** Bytes of a batch, as sent and as decompressed: 1 MiB. */
  bodyBytes: number;
  /** Operations a batch: 5,000. */
  operationsPerBatch: number;
  /** Batches a minute for one profile, however many registrations it has: 3,000. */
  batchesPerMinute: number;
  /** Batches of one profile under way at once, all but one of them waiting: 64. */
  batchesAtOnce: number;
  /** Batches being applied at once, of all profiles: two less than the connections to PostgreSQL, 2 at least; 1 on PGlite. */
  batchesAtWork: number;
  /** Registrations a minute for one profile: 120. */
  registrationsPerMinute: number;
  /** Registrations a minute from one address, new visitors' among them: 600. */
  registrationsPerAddressPerMinute: number;
  /** Chats that one address starts a minute, and again sign-ins: 600. */
  chatsPerMinute: number;
  /** Keys and tokens that turn out wrong, a minute from one address: 300. */
  failedAuthenticationsPerMinute: number;
  /** Bytes of requests that are received, wait or are worked on, of all addresses: 64 MiB. */
  bytesInFlight: number;
  /** And of one address: 16 MiB. */
  bytesInFlightPerAddress: number;
}

const MIB = 1024 * 1024;
/** Connections left for what every request asks before its batch is applied, and for everything else. */
const SPARE_CONNECTIONS = 2;

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: LIMITS.batchBytes,
  operationsPerBatch: LIMITS.operationsPerBatch,
  // A browser that comes back with a million operations sends as fast as it is answered; that is no flood.
  batchesPerMinute: 3000,
  // A browser sends one at a time, however many tabs it has.
  batchesAtOnce: 64,
  batchesAtWork: POSTGRES_DEFAULTS.connections - SPARE_CONNECTIONS,
  registrationsPerMinute: 120,
  // A whole office may stand behind one address. A browser registers once an hour, so that 600 a minute are the browsers
  // of 36,000 people, or 600 people who come for the first time in the same minute.
  registrationsPerAddressPerMinute: 600,
  chatsPerMinute: 600,
  failedAuthenticationsPerMinute: 300,
  // Four addresses that send as much as they may fill it; what one address waits with fits sixteen of the largest batches.
  bytesInFlight: 64 * MIB,
  bytesInFlightPerAddress: 16 * MIB,
};

/** The limits of a service: those given, and for the rest the defaults that suit its database. */
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

/** PGlite works in this very thread, one statement after the other: whatever else had begun would only be in the way. */
const batchesAtWorkOn = (database: DatabaseOptions): number =>
  "url" in database
    ? Math.max(2, (database.connections ?? POSTGRES_DEFAULTS.connections) - SPARE_CONNECTIONS)
    : 1;
