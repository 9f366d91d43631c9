import {
  POSTGRES_DEFAULTS,
  type DatabaseEvents,
  type DatabaseOptions,
  type OpenDatabase,
} from "./database.js";
import { openPglite } from "./pglite.js";
import { openPostgres } from "./postgres.js";

/** Opens the database and brings its schema up to date. If a PostgreSQL server is unavailable, this waits for it. */
export const openDatabase = (options: DatabaseOptions, events: DatabaseEvents): Promise<OpenDatabase> =>
  "url" in options
    ? openPostgres({ ...POSTGRES_DEFAULTS, ...options }, events)
    : openPglite(options.dataDir, options.snapshot);
