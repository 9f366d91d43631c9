import { PGlite } from "@electric-sql/pglite";
import { Pool } from "pg";
import type { EventOperation } from "../../src/protocol/wire.js";
import type { Place } from "./places.js";

/** The floor: it stores the rows of a batch in one transaction and does nothing else. */
export interface RawStore {
  /** Creates a new owner of rows, as a registration does. */
  newOwner(): Promise<number>;
  store(owner: number, events: readonly EventOperation[]): Promise<void>;
  close(): Promise<void>;
}

type Query = (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>;

const NEW_OWNER = `
  insert into profiles (kind, id, created_at, last_activity_at)
  values ('visitor', gen_random_uuid()::text, 0, 0) returning key`;
const INSERT_IDS = `
  insert into operation_ids (owner, id, received_at)
  select $1, id, $2 from unnest(string_to_array($3, ',')) as id`;
/** One list for each column, as in the service: rows as objects would cost both sides a fifth more. */
const INSERT_EVENTS = `
  insert into events (owner, received_at, operation_id, definition_id, session_id, occurred_at, given_at, properties, page)
  select $1, $2, id, definition_id, session_id, occurred_at, occurred_at, properties, page
  from rows from (
    unnest(string_to_array($3, ',')),
    unnest(string_to_array($4, ',')),
    unnest(string_to_array($5, ',')),
    unnest($6::bigint[]),
    jsonb_array_elements($7::jsonb),
    jsonb_array_elements($8::jsonb)
  ) as rows (id, definition_id, session_id, occurred_at, properties, page)`;
const INSERT_SESSION = `
  insert into sessions (owner, id, started_at, last_activity_at) values ($1, $2, $3, $4)
  on conflict (owner, id) do update set last_activity_at = excluded.last_activity_at`;

/** Makes the rows within the measured time, because any program that stores them must make them. */
async function insert(query: Query, owner: number, events: readonly EventOperation[]): Promise<void> {
  const now = Date.now();
  const ids = events.map(({ id }) => id).join();
  const times = events.map(({ occurredAt }) => Date.parse(occurredAt));
  await query(INSERT_IDS, [owner, now, ids]);
  await query(INSERT_EVENTS, [
    owner,
    now,
    ids,
    events.map(({ definitionId }) => definitionId).join(),
    events.map(({ sessionId }) => sessionId).join(),
    `{${times.join()}}`,
    JSON.stringify(events.map(({ properties }) => properties)),
    JSON.stringify(events.map(({ page }) => page)),
  ]);
  await query(INSERT_SESSION, [owner, events[0]!.sessionId, times[0], times.at(-1)]);
}

const ownerOf = ({ rows }: Awaited<ReturnType<Query>>): number => Number(rows[0]!["key"]);

export const openRawStore = (place: Place, connections: number): Promise<RawStore> =>
  "DATABASE_URL" in place ? openPostgres(place.DATABASE_URL, connections) : openPglite(place.DATA_DIR);

async function openPostgres(url: string, connections: number): Promise<RawStore> {
  const pool = new Pool({ connectionString: url, max: connections });
  // The statement's name is its text, so that each connection prepares it once.
  return {
    newOwner: async () => ownerOf(await pool.query(NEW_OWNER)),
    async store(owner, events) {
      const client = await pool.connect();
      try {
        await client.query("begin");
        await insert(
          (text, values = []) => client.query({ name: text.slice(0, 60), text, values }),
          owner,
          events,
        );
        await client.query("commit");
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
}

async function openPglite(dataDir: string): Promise<RawStore> {
  const db = await PGlite.create({ dataDir });
  return {
    newOwner: async () => ownerOf(await db.query(NEW_OWNER)),
    store: (owner, events) =>
      db.transaction((tx) => insert((text, values) => tx.query(text, values), owner, events)),
    close: () => db.close(),
  };
}
