/** What the database consists of. */

/** Serves delivery (a profile's waiting rows in order) and inspection alike, so that a row costs one index entry. */
export const BY_PROFILE = "[state+profile.kind+profile.id+seq]";

/** IndexedDB's number for Dexie's version 1. */
export const NATIVE_VERSION = 10;

/** Each store's primary key and then its indexes, in Dexie's notation. */
export const SCHEMA: Record<string, string> = {
  outbox: `seq, ${BY_PROFILE}`,
  tracker: "",
  pages: "pageId, touchedAt",
  retiredLiveChatSessions: "key",
  definitions: "",
};

const keyPathOf = (source: string): string | string[] =>
  source.startsWith("[") ? source.slice(1, -1).split("+") : source;

/** Creates in a new database what Dexie would. */
export const createStores = (database: IDBDatabase): void => {
  for (const [name, sources] of Object.entries(SCHEMA)) {
    const [key, ...indexes] = sources.split(", ");
    const store = database.createObjectStore(name, key ? { keyPath: keyPathOf(key) } : {});
    for (const index of indexes) store.createIndex(index, keyPathOf(index));
  }
};
