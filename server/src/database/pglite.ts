import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { lockDataFolder } from "./data-folder-lock.js";
import { migrationsFolder, type Database, type OpenDatabase } from "./database.js";
import * as schema from "./schema.js";

/** Opens PGlite, a PostgreSQL inside the process: in the folder, or in memory without one. */
export async function openPglite(dataDir?: string, snapshot?: Blob): Promise<OpenDatabase> {
  if (dataDir) makeDataFolder(dataDir);
  const unlock = dataDir ? await lockDataFolder(dataDir) : () => {};
  try {
    const client = await PGlite.create({
      ...(dataDir && { dataDir }),
      ...(snapshot && { loadDataDir: snapshot }),
    });
    const db = drizzle({ client, schema });
    await migrate(db, { migrationsFolder });
    return {
      db: db as unknown as Database,
      description: dataDir ? `PGlite in ${dataDir}` : "PGlite in memory",
      close: async () => {
        await client.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

function makeDataFolder(dataDir: string): void {
  try {
    makeFolder(dataDir);
  } catch (error) {
    throw new Error(
      `The data folder ${dataDir} cannot be made: ${(error as Error).message}. Name a folder that this user may write to.`,
      { cause: error },
    );
  }
}

/** Creates a folder and its parents. Node's `recursive` option loops forever below a folder such as /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it a moment ago.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
