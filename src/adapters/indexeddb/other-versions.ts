/** Databases that another version of this code has made: Dexie upgrades older ones and reads the schema of later ones. */
import { Dexie } from "dexie";
import { SCHEMA } from "./schema.js";

const using = async (name: string, work: (database: Dexie) => Promise<unknown>): Promise<void> => {
  const database = new Dexie(name, { autoOpen: false });
  try {
    await work(database);
  } finally {
    database.close();
  }
};

export const upgrade = (name: string): Promise<void> =>
  using(name, (database) => {
    database.version(1).stores(SCHEMA);
    return database.open();
  });

/**
 * A tab of before a deploy meets the database of the tabs after it. Where that has all that this code knows, it is used as
 * it is.
 *
 * @throws where it has not
 */
export const checkLater = (name: string): Promise<void> =>
  using(name, async (database) => {
    await database.open();
    for (const [table, schema] of Object.entries(SCHEMA)) {
      const stored = database.tables.find((one) => one.name === table)?.schema;
      const sources = stored && [stored.primKey.src, ...stored.indexes.map(({ src }) => src)];
      if (!schema.split(", ").every((source) => sources?.includes(source))) {
        throw new Error(`a later version of this site keeps its tracking data otherwise (${table})`);
      }
    }
  });
