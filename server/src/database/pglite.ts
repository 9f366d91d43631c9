import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { lockDataFolder } from "./data-folder-lock.js";
import { migrationsFolder, type Database, type OpenDatabase } from "./database.js";
import { makeDataFolder } from "./make-data-folder.js";
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
