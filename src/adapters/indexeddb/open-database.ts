/**
 * Opens the database. A new one, and one with this code's schema, is opened directly, for a tab waits for it. Dexie is for
 * databases that another version of this code has made; its code runs only then.
 */
import { createStores, NATIVE_VERSION } from "./schema.js";

/** The database, or how its schema differs from this code's. It is left as it is. */
type Opened = IDBDatabase | "older" | "later";

const open = (name: string, version?: number): Promise<Opened> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    let creation: IDBTransaction | null = null;
    let isOlder = false;
    request.addEventListener("upgradeneeded", ({ oldVersion }) => {
      isOlder = oldVersion > 0;
      if (isOlder) return request.transaction?.abort();
      creation = request.transaction;
      createStores(request.result);
    });
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => {
      if (isOlder) resolve("older");
      else if (request.error?.name === "VersionError") resolve("later");
      // A creation that failed says why: the request, only that it was aborted.
      else reject(creation?.error ?? request.error);
    });
  });

const openAny = async (name: string): Promise<IDBDatabase> => {
  if (typeof indexedDB === "undefined") throw new Error("there is no IndexedDB here");
  let opened = await open(name, NATIVE_VERSION);
  if (opened === "older") {
    const { upgrade } = await import("./other-versions.js");
    await upgrade(name);
    return openAny(name);
  }
  if (opened === "later") {
    const { checkLater } = await import("./other-versions.js");
    await checkLater(name);
    opened = await open(name);
  }
  const connection = opened as IDBDatabase;
  // Another tab upgrades or deletes the database. Whoever uses the connection opens it again.
  connection.addEventListener("versionchange", () => connection.close());
  return connection;
};

let ahead: { name: string; opening: Promise<IDBDatabase> } | null = null;

/** Begins to open a database that `openDatabase` is soon to be asked for. */
export const openAhead = (name: string): void => {
  const opening = openAny(name);
  opening.catch(() => undefined); // whoever asks for it gets the error
  ahead = { name, opening };
};

/**
 * Opens the database; creates it, or upgrades it, where necessary.
 *
 * @throws where IndexedDB is unavailable, or a later version of this code keeps its data in a way that this one cannot use
 */
export const openDatabase = (name: string): Promise<IDBDatabase> => {
  if (ahead?.name !== name) return openAny(name);
  const { opening } = ahead;
  ahead = null;
  return opening;
};
