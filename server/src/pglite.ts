import { mkdir } from "node:fs/promises";
import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { lockDataFolder } from "./data-folder-lock.js";
import { migrationsFolder, type Database, type OpenDatabase } from "./database.js";
import * as schema from "./schema.js";

/** A PostgreSQL inside the process: in the folder, or in memory where there is none. */
export async function openPglite(dataDir?: string, snapshot?: Blob): Promise<OpenDatabase> {
  const unlock = dataDir ? await lock(dataDir) : () => {};
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

async function lock(dataDir: string): Promise<() => void> {
  try {
    await mkdir(dataDir, { recursive: true });
  } catch (error) {
    throw new Error(
      `The data folder ${dataDir} cannot be made: ${(error as Error).message}. Name a folder that this user may write to.`,
      { cause: error },
    );
  }
  return lockDataFolder(dataDir);
}
