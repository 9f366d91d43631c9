/**
 * Opens the database. One that is new, or has this code's schema, is opened here, for a tab waits for it. What
 * Dexie is for begins where another version of this code has made the database: only then does its code run.
 */
import { createStores, NATIVE_VERSION } from "./schema.js";

/** An older version's schema is left as it is. */
type Opened = IDBDatabase | "older" | "later";

const open = (name: string, version?: number): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    let isOlder = false;
    request.addEventListener("upgradeneeded", ({ oldVersion }) => {
      isOlder = oldVersion > 0;
      if (isOlder) request.transaction?.abort();
      else createStores(request.result);
    });
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => {
      if (isOlder) resolve("older");
      else if (request.error?.name === "VersionError") resolve("later");
      else reject(request.error as DOMException);
    });
  });

/**
 * Opens the database, and creates or upgrades it where necessary. The connection closes when another tab is to upgrade
 * or delete the database.
 *
 * @throws where IndexedDB is unavailable, or a later version of this code has changed the schema so that this one cannot
 *   use it
 */
export const openDatabase = async (name: string): Promise<IDBDatabase> => {
  if (typeof indexedDB === "undefined") throw new Error("this browser has no IndexedDB here");
  let opened = await open(name, NATIVE_VERSION);
  if (opened === "older") {
    await (await import("./other-versions.js")).upgrade(name);
    return openDatabase(name);
  }
  if (opened === "later") {
    await (await import("./other-versions.js")).checkLater(name);
    opened = await open(name);
  }
  const connection = opened as IDBDatabase;
  connection.addEventListener("versionchange", () => connection.close());
  return connection;
};
