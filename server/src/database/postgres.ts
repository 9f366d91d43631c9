import { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import type { PgTransactionConfig } from "drizzle-orm/pg-core";
import { Client, DatabaseError, Pool, type ClientConfig } from "pg";
import { ADVISORY_LOCKS } from "./advisory-locks.js";
import {
  isUnavailable,
  migrationsFolder,
  type Database,
  type DatabaseEvents,
  type OpenDatabase,
  type PostgresOptions,
} from "./database.js";
import {
  onConnection,
  sessionMode,
  transactionMode,
  type Connection,
  type ConnectionMode,
} from "./postgres-connection.js";
import * as schema from "./schema.js";

const RETRY_MS = 1_000;
/** A running server reports a statement timeout itself. After this much longer the connection counts as stalled. */
const STALL_MARGIN_MS = 2_000;
/** How long connections may take to close; the rest, of a server that hangs, are destroyed. */
const CLOSE_MS = 3_000;

/** Waits until the server is available, migrates its schema, and opens a pool of connections. */
export async function openPostgres(
  { url, connections, timeoutMs }: Required<PostgresOptions>,
  events: DatabaseEvents,
): Promise<OpenDatabase> {
  const connectionTimeoutMillis = Math.ceil(timeoutMs / 2);
  const client: ClientConfig = { connectionString: url, connectionTimeoutMillis, keepAlive: true };
  const timed = { ...client, query_timeout: timeoutMs + STALL_MARGIN_MS };
  const { host, port, database } = new Client(client);
  const place = `${host}:${port}/${database}`;

  const mode = await whenAvailable(place, events, async () => {
    const chosen = await chooseMode(timed, timeoutMs, events.signal);
    await migrateUnderLock(client, events);
    return chosen;
  });

  const sockets = new Set<Socket>();
  const pool = new Pool({
    ...timed,
    ...mode.pool,
    max: connections,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once("close", () => sockets.delete(socket));
    },
  });
  // The next query replaces a broken connection. Without listeners its error would end the process: the pool emits it for an
  // idle connection, the connection itself for one in use.
  pool.on("error", events.onError);
  pool.on("connect", (connected) => connected.on("error", events.onError));

  const db = drizzle(
    asClient({
      query: (...query) => onConnection(pool, mode.forStatements, (connection) => connection.query(...query)),
    }),
    { schema },
  );
  const transaction = <Result>(
    work: Parameters<typeof db.transaction<Result>>[0],
    config?: PgTransactionConfig,
  ): Promise<Result> =>
    onConnection(pool, mode.forTransaction, (connection) =>
      drizzle(asClient(connection), { schema }).transaction(work, config),
    );
  return {
    db: Object.assign(db, { transaction }) as unknown as Database,
    description: mode.pool.options ? `PostgreSQL at ${place}` : `PostgreSQL at ${place}, through a pooler`,
    async close() {
      const closed = pool
        .end()
        .then(() =>
          Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)))),
        );
      await Promise.race([closed, delay(CLOSE_MS)]);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Drizzle uses nothing else of a client. */
const asClient = (connection: Connection): Client => connection as unknown as Client;

/** Retries work until the server is available. Any other error is thrown at once. */
async function whenAvailable<Result>(
  place: string,
  { onWaiting, signal }: DatabaseEvents,
  work: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      const reason = reasonOf(error);
      if (!isUnavailable(error))
        throw new Error(
          `The database ${place} cannot be used: ${reason}. Check its address (DATABASE_URL) and what its user may do.`,
          { cause: error },
        );
      onWaiting(`the database ${place} cannot be reached (${reason})`);
      await delay(RETRY_MS, undefined, { signal });
    }
  }
}

/** The server's own message, without the statement that the driver puts around it. */
const reasonOf = (error: unknown): string => {
  const { message, cause, errors } = error as AggregateError & { cause?: unknown };
  if (cause !== undefined) return reasonOf(cause);
  // An AggregateError has one error for each address of the host, and no message of its own.
  return message || (errors?.map(reasonOf).join(", ") ?? String(error));
};

/**
 * Detects a pooler in front of the server, which refuses start parameters or drops them. The settings then travel with each
 * transaction, which works in every mode of a pooler.
 */
async function chooseMode(
  config: ClientConfig,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<ConnectionMode> {
  const session = sessionMode(timeoutMs);
  try {
    return await withClient({ ...config, ...session.pool }, signal, async (client) => {
      const { rows } = await client.query<{ setting: string }>(
        "select setting from pg_settings where name = 'statement_timeout'",
      );
      return rows[0]?.setting === String(timeoutMs) ? session : transactionMode(timeoutMs);
    });
  } catch (error) {
    // SQLSTATE 08P01: a violation of the protocol.
    if (!(error instanceof DatabaseError && error.code === "08P01")) throw error;
    // A connection without start parameters shows whether they were the reason.
    return withClient(config, signal, async (client) => {
      await client.query("select 1");
      return transactionMode(timeoutMs);
    });
  }
}

/**
 * Migrates under an advisory lock, so that one process migrates at a time. The lock belongs to a transaction on a separate
 * connection: poolers do not support session locks, and Drizzle opens its own transaction for the migrations.
 */
const migrateUnderLock = (config: ClientConfig, { onWaiting, signal }: DatabaseEvents): Promise<void> =>
  withClient(config, signal, async (holder) => {
    for (;;) {
      await holder.query("begin");
      const { rows } = await holder.query<{ locked: boolean }>(
        "select pg_try_advisory_xact_lock($1) as locked",
        [ADVISORY_LOCKS.migrations],
      );
      if (rows[0]?.locked) break;
      await holder.query("rollback");
      onWaiting("another process is bringing the database's schema up to date");
      await delay(RETRY_MS, undefined, { signal });
    }
    await withClient(config, signal, (client) => migrate(drizzle(client), { migrationsFolder }));
    await holder.query("commit");
  });

/** Runs work on a connection outside of the pool. `signal` closes that connection at any time. */
async function withClient<Result>(
  config: ClientConfig,
  signal: AbortSignal | undefined,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const client = new Client(config);
  // The pending query rejects with the same error.
  client.on("error", () => undefined);
  // While a statement is pending this closes the connection at once.
  const end = (): void => void client.end().catch(() => undefined);
  signal?.addEventListener("abort", end);
  try {
    await client.connect();
    return await work(client);
  } finally {
    signal?.removeEventListener("abort", end);
    end();
  }
}
