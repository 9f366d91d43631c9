/**
 * The store in IndexedDB: database `people-tracking:<namespace>`, rows as people read them in DevTools. One read-write
 * transaction a commit; the browser serialises them across every tab and worker of the origin.
 *
 * It uses IndexedDB directly. Dexie only upgrades a database that another version has made (`open-database.ts`): its tables
 * store a tenth fewer rows a second, and do not work in a page whose libraries have added to `Object.prototype`.
 */
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
import { openDatabase } from "./open-database.js";
import { whilePresent } from "./page-absence.js";
import { SCHEMA } from "./schema.js";
import {
  forgetPagesIn,
  recordIn,
  rowsIn,
  snapshotIn,
  waitingCountIn,
  waitingIn,
  writeIn,
} from "./stored-rows.js";

const DEFINITIONS_KEY = "current";

export class IndexedDbTrackerStore implements TrackerStore {
  readonly kind = "disk";
  readonly #name: string;
  readonly #durability: "relaxed" | "strict";
  #connection: IDBDatabase | null = null;
  #isClosed = false;

  constructor(namespace: string, durability: "relaxed" | "strict") {
    this.#name = sharedName(namespace);
    this.#durability = durability;
  }

  /**
   * Opens the database; call it once. Rejects where IndexedDB is unavailable, or where a later version has changed the
   * schema. Whoever holds the store opens another one where the connection is lost: it may be another database by then,
   * deleted or upgraded.
   */
  async open(): Promise<void> {
    const connection = await openDatabase(this.#name);
    this.#connection = connection;
    if (this.#isClosed) connection.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
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
      if (!this.#connection) throw new Error("the database is not open");
      return this.#connection.transaction(stores, mode, { durability: this.#durability });
    }, work);
  }
}
