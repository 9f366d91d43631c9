import {
  DatabaseError,
  type ClientBase,
  type Pool,
  type PoolConfig,
  type QueryConfig,
  type QueryResult,
} from "pg";

/** The part of a client that Drizzle uses. */
export interface Connection {
  query(statement: QueryConfig, values: unknown[]): Promise<QueryResult>;
}

/** The way in which the settings of the service reach the server that executes a statement. */
export interface ConnectionMode {
  pool: Pick<PoolConfig, "options" | "pipeline">;
  /** For single statements outside of a transaction. */
  forStatements: (client: ClientBase) => Connection;
  forTransaction: (client: ClientBase) => Connection;
}

/** PostgreSQL's settings for all statements except migrations, which have no timeout. */
const settingsOf = (timeoutMs: number): Readonly<Record<string, string | number>> => ({
  // All queries have an index. A plan that is cached while the tables are empty would use sequential scans, and stays cached
  // until the statistics change; planning each statement again would cost as much as executing it.
  enable_seqscan: "off",
  jit: "off",
  statement_timeout: timeoutMs,
  // Earlier than the statement timeout, so that the error names the lock as the cause.
  lock_timeout: Math.ceil(timeoutMs / 2),
  // A process that is suspended in a transaction loses that transaction and its row locks.
  idle_in_transaction_session_timeout: timeoutMs,
});

/** For direct connections: the settings are start parameters, and named statements are parsed once for each connection. */
export const sessionMode = (timeoutMs: number): ConnectionMode => ({
  pool: {
    options: Object.entries(settingsOf(timeoutMs))
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(" "),
  },
  forStatements: asItIs,
  forTransaction: asItIs,
});

/**
 * For a pooler, which may give each transaction another server connection: neither settings nor named statements outlive a
 * transaction. Each transaction sends the settings in the message that begins it. A single statement is pipelined with
 * `begin` and `commit` in one round trip.
 */
export function transactionMode(timeoutMs: number): ConnectionMode {
  const settings = Object.entries(settingsOf(timeoutMs))
    .map(([name, value]) => `set local ${name} = ${value}`)
    .join("; ");
  return {
    pool: { pipeline: true },
    forStatements: (client) => ({
      async query({ name: _, ...statement }, values) {
        const [begun, result, committed] = await Promise.allSettled([
          client.query(`begin; ${settings}`),
          client.query(statement, values),
          client.query("commit"),
        ]);
        // The first failure is the cause of the later ones.
        for (const step of [begun, result, committed]) if (step.status === "rejected") throw step.reason;
        return (result as PromiseFulfilledResult<QueryResult>).value;
      },
    }),
    forTransaction: (client) => ({
      query: ({ name: _, ...statement }, values) =>
        /^begin\b/.test(statement.text)
          ? client.query(`${statement.text}; ${settings}`)
          : client.query(statement, values),
    }),
  };
}

const asItIs = (client: ClientBase): Connection => ({
  query: (statement, values) => client.query(statement, values),
});

/**
 * Runs work on one connection of the pool. A connection that failed or timed out is not used again, not even to roll back,
 * and is closed rather than returned to the pool: its late response would be read as the response to another statement.
 */
export async function onConnection<Result>(
  pool: Pool,
  connectionOf: (client: ClientBase) => Connection,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  const connection = connectionOf(client);
  let failure: Error | undefined;
  try {
    return await work({
      async query(statement, values) {
        if (failure) throw failure;
        try {
          return await connection.query(statement, values);
        } catch (error) {
          if (!isAnswer(error)) failure = error as Error;
          throw error;
        }
      },
    });
  } finally {
    client.release(failure);
  }
}

/**
 * Whether an error is the server's response to a statement, after which the connection is still usable. These SQLSTATE
 * classes end the connection: 08 connection, 25P timeouts in transactions, 57P shutdown, 58 and XX failures of the server.
 */
const isAnswer = (error: unknown): boolean =>
  error instanceof DatabaseError && !/^(08|25P0[34]|57P|58|XX)/.test(error.code ?? "08");
