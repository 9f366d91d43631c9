/**
 * The store in IndexedDB: database `people-tracking:<namespace>`, rows as people read them in DevTools. One read-write
 * transaction a commit; the browser serialises them across every tab and worker of the origin.
 *
 * Dexie opens and upgrades. All else goes to its connection directly: a tenth more a second into the outbox, no message
 * to whatever else of the site uses Dexie, and no use of Dexie's tables, which do not work in a page whose libraries
 * have added to `Object.prototype`: it compares schemas with `for…in`.
 */
import { Dexie } from "dexie";
import type {
  CachedDefinitions,
  ReadSet,
  RowQuery,
  Snapshot,
  TrackerStore,
  WaitingRows,
  WriteSet,
} from "../../core/ports.js";
import type { TrackerRecord } from "../../core/tracker-record.js";
import type { OutboxRow, Profile } from "../../protocol/api.js";
import { sharedName } from "../../protocol/names.js";
import { allAsked, asked } from "./idb-transaction.js";
import { whilePresent } from "./page-absence.js";
import {
  forgetPagesIn,
  recordIn,
  rowsIn,
  SCHEMA,
  snapshotIn,
  waitingCountIn,
  waitingIn,
  writeIn,
} from "./stored-rows.js";

const DEFINITIONS_KEY = "current";

/** IndexedDB's number for Dexie's version 1. */
const NATIVE_VERSION = 10;

/** Not by `databases()`: asked while the person clears the site's data, Chromium's never answers. */
const storedVersion = (name: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    // There is none yet, and this makes none.
    opening.addEventListener("upgradeneeded", () => opening.transaction?.abort());
    opening.addEventListener("success", () => {
      resolve(opening.result.version);
      opening.result.close();
    });
    opening.addEventListener("error", () => {
      // Ended above, or because all is being cleared.
      if (opening.error?.name === "AbortError") resolve(0);
      else reject(opening.error);
    });
  });

/**
 * A tab of before a deploy meets the database of the tabs after it. Where that has all that we know, we go on with it;
 * where not, Dexie would add what is missing to a schema that is not ours to change.
 */
const checkLaterSchema = async (name: string): Promise<void> => {
  if (typeof indexedDB === "undefined" || (await storedVersion(name)) <= NATIVE_VERSION) return;
  const later = new Dexie(name);
  try {
    await later.open();
    for (const [table, schema] of Object.entries(SCHEMA)) {
      const stored = later.tables.find((one) => one.name === table)?.schema;
      const sources = stored && [stored.primKey.src, ...stored.indexes.map(({ src }) => src)];
      if (!schema.split(", ").every((source) => sources?.includes(source))) {
        throw new Error(`a later version of this site keeps its tracking data otherwise (${table})`);
      }
    }
  } finally {
    later.close();
  }
};

export class DexieTrackerStore implements TrackerStore {
  readonly kind = "disk";
  readonly #db: Dexie;
  readonly #durability: "relaxed" | "strict";

  constructor(namespace: string, durability: "relaxed" | "strict") {
    // Whoever holds it opens it again, for what is opened again may be another database: deleted, or upgraded.
    this.#db = new Dexie(sharedName(namespace), {
      chromeTransactionDurability: durability,
      autoOpen: false,
    });
    this.#db.version(1).stores(SCHEMA);
    this.#durability = durability;
  }

  /** Opens the database. Rejects where IndexedDB is unavailable, or where a later version has changed the schema. */
  async open(): Promise<void> {
    await checkLaterSchema(this.#db.name);
    // Dexie opens a database of a later version as it is.
    await this.#db.open();
  }

  close(): void {
    this.#db.close();
  }

  commit<Result>(
    readSet: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
  ): Promise<Result> {
    return this.#in("readwrite", Object.keys(SCHEMA), async (transaction) => {
      const { change, result } = decide(await snapshotIn(transaction, readSet));
      writeIn(transaction, change);
      return result;
    });
  }

  read(): Promise<TrackerRecord> {
    return this.#in("readonly", ["tracker"], recordIn);
  }

  readWaiting(profiles: readonly Profile[], limit: number, after = 0): Promise<WaitingRows> {
    return this.#in("readonly", ["tracker", "outbox"], async (transaction) => {
      const [record, rows] = await allAsked([
        recordIn(transaction),
        waitingIn(transaction, profiles, limit, after),
      ]);
      return { record, rows };
    });
  }

  countWaiting(profile: Profile, beforeSeq: number): Promise<number> {
    return this.#in("readonly", ["outbox"], (transaction) => waitingCountIn(transaction, profile, beforeSeq));
  }

  inspect(query: RowQuery): Promise<OutboxRow[]> {
    return this.#in("readonly", ["tracker", "outbox"], (transaction) => rowsIn(transaction, query));
  }

  async readDefinitions(): Promise<CachedDefinitions | null> {
    const definitions = await this.#in("readonly", ["definitions"], (transaction) =>
      asked<CachedDefinitions | undefined>(transaction.objectStore("definitions").get(DEFINITIONS_KEY)),
    );
    return definitions ?? null;
  }

  async writeDefinitions(definitions: CachedDefinitions): Promise<void> {
    await this.#in("readwrite", ["definitions"], (transaction) =>
      asked(transaction.objectStore("definitions").put(definitions, DEFINITIONS_KEY)),
    );
  }

  forgetPages(beforeInstant: number): Promise<void> {
    return this.#in("readwrite", ["pages"], (transaction) => forgetPagesIn(transaction, beforeInstant));
  }

  #in<Result>(
    mode: IDBTransactionMode,
    stores: readonly string[],
    work: (transaction: IDBTransaction) => Promise<Result>,
  ): Promise<Result> {
    return whilePresent(() => {
      const connection = this.#db.isOpen() ? (this.#db.backendDB() as IDBDatabase | null) : null;
      if (!connection) throw new Error("the database is closed");
      return connection.transaction(stores, mode, { durability: this.#durability });
    }, work);
  }
}
