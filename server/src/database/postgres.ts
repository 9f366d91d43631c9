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
/** A server that runs answers a timeout itself; this much later nobody does. */
const SILENCE_MS = 2_000;
/** How long connections may take to end; what a server that hangs holds is cut off then. */
const CLOSE_MS = 3_000;

/** Waits for the server where it is not there yet, brings its schema up to date, and connects as often as it is needed. */
export async function openPostgres(
  { url, connections, timeoutMs }: Required<PostgresOptions>,
  events: DatabaseEvents,
): Promise<OpenDatabase> {
  const connectionTimeoutMillis = Math.ceil(timeoutMs / 2);
  const client: ClientConfig = { connectionString: url, connectionTimeoutMillis, keepAlive: true };
  const timed = { ...client, query_timeout: timeoutMs + SILENCE_MS };
  const { host, port, database } = new Client(client);
  const place = `${host}:${port}/${database}`;

  const mode = await whenAvailable(place, events, async () => {
    const chosen = await chooseMode(timed, timeoutMs, events.signal);
    await migrateAlone(client, events);
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
  // A connection that breaks is replaced by the next query; without a listener it would end the process, an idle one
  // by the pool's event, one in the middle of a transaction by its own.
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

/** Drizzle asks a client for nothing else. */
const asClient = (connection: Connection): Client => connection as unknown as Client;

/** Does it again until the server is there, unless something else is wrong. */
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

/** What the server said, without the statement around it. */
const reasonOf = (error: unknown): string => {
  const { message, cause, errors } = error as AggregateError & { cause?: unknown };
  if (cause !== undefined) return reasonOf(cause);
  // One for each address of the host, and no message of its own.
  return message || (errors?.map(reasonOf).join(", ") ?? String(error));
};

/**
 * A pooler in front of the server refuses start parameters, or drops them. Then the settings come with each transaction,
 * which is right in any mode of the pooler.
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
    // Whether it was for the parameter shows the next connection, which has none.
    return withClient(config, signal, async (client) => {
      await client.query("select 1");
      return transactionMode(timeoutMs);
    });
  }
}

/**
 * Migrates while no other process does. The lock is a transaction's, on a connection of its own: a pooler may keep no
 * others, and Drizzle makes its own transaction for the migrations.
 */
const migrateAlone = (config: ClientConfig, { onWaiting, signal }: DatabaseEvents): Promise<void> =>
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

/** A connection outside of the pool, which `signal` ends whatever it waits for. */
async function withClient<Result>(
  config: ClientConfig,
  signal: AbortSignal | undefined,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const client = new Client(config);
  // It rejects what was asked of it too.
  client.on("error", () => undefined);
  // With a statement under way it closes the connection at once; without one it might wait for the server's goodbye.
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
