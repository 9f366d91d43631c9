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

/** How the settings that each statement needs reach the server that executes it. */
export interface ConnectionMode {
  pool: Pick<PoolConfig, "options" | "pipeline">;
  /** For statements that are transactions by themselves. */
  forStatements: (client: ClientBase) => Connection;
  forTransaction: (client: ClientBase) => Connection;
}

/** PostgreSQL's settings for whatever the service asks; migrations take the time that they need. */
const settingsOf = (timeoutMs: number): Readonly<Record<string, string | number>> => ({
  // Whatever is asked for stands in an index. A plan made while the tables are empty would rather read them whole, and is
  // kept for as long as nobody counts them anew; to plan each statement anew costs as much as to execute it.
  enable_seqscan: "off",
  jit: "off",
  statement_timeout: timeoutMs,
  // Earlier than the one before, so that who waits for a row is told so.
  lock_timeout: Math.ceil(timeoutMs / 2),
  // A process that is suspended in a transaction loses it, with the rows that it locked.
  idle_in_transaction_session_timeout: timeoutMs,
});

/** A connection of our own: the settings are given with its start, and statements are parsed once, under their names. */
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
 * Through a pooler, which gives each transaction another server connection: nothing outlives a transaction, neither a
 * setting nor a named statement. So each transaction brings the settings along, in the message that begins it, and a
 * single statement travels with its transaction's begin and end at once, in one round trip.
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
        // The first one that failed is the reason for the rest.
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
 * Works on one connection of the pool. One that failed by itself, or did not answer in time, is not used any further, not
 * even to roll back, and is closed instead of given back: a late answer would be taken for that to another statement.
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

/** Whether the server refused a statement and goes on serving its connection. SQLSTATE classes: 08 connection, 25P
 * timeouts in transactions, 57P shutdown, 58 and XX failures of the server. */
const isAnswer = (error: unknown): boolean =>
  error instanceof DatabaseError && !/^(08|25P0[34]|57P|58|XX)/.test(error.code ?? "08");
