/**
 * The store in IndexedDB: database `people-tracking:<namespace>`, rows as people read them in DevTools. One read-write
 * transaction a commit; the browser serialises them across every tab and worker of the origin.
 */
import { Dexie } from "dexie";
import type { Collection, Table } from "dexie";
import type { OutboxRow, Profile } from "../protocol/api.js";
import type { PageMarks } from "../core/page-marks.js";
import type {
  CachedDefinitions,
  Change,
  Need,
  RowQuery,
  Snapshot,
  TrackerStore,
  Waiting,
} from "../core/ports.js";
import type { TrackerRecord } from "../core/tracker-record.js";
import { emptyRecord } from "../core/tracker-record.js";
import { withInstants, withReadableTimes } from "./readable-times.js";

/** Serves delivery (a profile's waiting rows in order) and inspection alike, so that a row costs one index entry. */
const BY_PROFILE = "[state+profile.kind+profile.id+seq]";

const RECORD_KEY = "tracker";
const DEFINITIONS_KEY = "current";

const SCHEMA: Record<string, string> = {
  outbox: `seq, ${BY_PROFILE}`,
  tracker: "",
  pages: "pageId, touchedAt",
  retiredLiveChatSessions: "key",
  definitions: "",
};

/** IndexedDB's number for Dexie's version 1. */
const NATIVE_VERSION = 10;

/**
 * A tab of before a deploy meets the database of the tabs after it. Where that has all that we know, we go on with it;
 * where not, Dexie would add what is missing to a schema that is not ours to change.
 */
const checkLaterSchema = async (name: string): Promise<void> => {
  if (typeof indexedDB === "undefined" || !("databases" in indexedDB)) return;
  const known = await indexedDB.databases();
  if ((known.find((one) => one.name === name)?.version ?? 0) <= NATIVE_VERSION) return;
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
  readonly #outbox: Table<OutboxRow, number>;
  readonly #tracker: Table<object, string>;
  readonly #pages: Table<object, string>;
  readonly #retired: Table<{ key: string }, string>;
  readonly #definitions: Table<CachedDefinitions, string>;

  constructor(namespace: string, durability: "relaxed" | "strict") {
    // Whoever holds it opens it again, for what is opened again may be another database: deleted, or upgraded.
    this.#db = new Dexie(`people-tracking:${namespace}`, {
      chromeTransactionDurability: durability,
      autoOpen: false,
    });
    this.#db.version(1).stores(SCHEMA);
    this.#outbox = this.#db.table("outbox");
    this.#tracker = this.#db.table("tracker");
    this.#pages = this.#db.table("pages");
    this.#retired = this.#db.table("retiredLiveChatSessions");
    this.#definitions = this.#db.table("definitions");
  }

  /** Rejects where IndexedDB is not to be had, or holds what a later version of this code no longer keeps as we do. */
  async open(): Promise<void> {
    await checkLaterSchema(this.#db.name);
    // Dexie opens a database of a later version as it is.
    await this.#db.open();
  }

  close(): void {
    this.#db.close();
  }

  async commit<Result>(
    need: Need,
    decide: (snapshot: Snapshot) => { change: Change; result: Result },
  ): Promise<Result> {
    const tables = [this.#tracker, this.#outbox, this.#pages, this.#retired, this.#definitions];
    return this.#db.transaction("rw", tables, async () => {
      const { change, result } = decide(await this.#snapshot(need));
      await this.#write(change);
      return result;
    });
  }

  async read(): Promise<TrackerRecord> {
    const stored = await this.#tracker.get(RECORD_KEY);
    return stored ? withInstants<TrackerRecord>(stored) : emptyRecord();
  }

  async readWaiting(profiles: readonly Profile[], limit: number): Promise<Waiting> {
    return this.#db.transaction("r", this.#tracker, this.#outbox, async () => {
      const [record, rows] = await Promise.all([this.read(), this.#firstWaiting(profiles, limit)]);
      return { record, rows };
    });
  }

  async #firstWaiting(profiles: readonly Profile[], limit: number): Promise<OutboxRow[]> {
    const [only] = profiles;
    if (!only) return [];
    if (profiles.length === 1) return this.#rowsOf("waiting", only).limit(limit).toArray();
    const firsts = await Promise.all(
      profiles.map(async (profile) => {
        const [seq = Infinity] = await this.#rowsOf("waiting", profile).limit(1).primaryKeys();
        return { profile, seq };
      }),
    );
    const first = firsts.reduce((best, next) => (next.seq < best.seq ? next : best));
    return this.#rowsOf("waiting", first.profile).limit(limit).toArray();
  }

  countWaiting(profile: Profile, beforeSeq: number): Promise<number> {
    return this.#rowsOf("waiting", profile, 0, beforeSeq).count();
  }

  async inspect({ state, after, limit }: RowQuery): Promise<OutboxRow[]> {
    if (!state) return this.#outbox.where("seq").above(after).limit(limit).toArray();
    const { lanes } = await this.read();
    const profiles = lanes.filter((lane) => lane[state] > 0).map(({ profile }) => profile);
    const rows = await Promise.all(
      profiles.map((profile) =>
        this.#rowsOf(state, profile, after + 1)
          .limit(limit)
          .toArray(),
      ),
    );
    return rows
      .flat()
      .toSorted((a, b) => a.seq - b.seq)
      .slice(0, limit);
  }

  async readDefinitions(): Promise<CachedDefinitions | null> {
    return (await this.#definitions.get(DEFINITIONS_KEY)) ?? null;
  }

  async writeDefinitions(definitions: CachedDefinitions): Promise<void> {
    await this.#definitions.put(definitions, DEFINITIONS_KEY);
  }

  async forgetPages(beforeInstant: number): Promise<void> {
    await this.#pages.where("touchedAt").below(new Date(beforeInstant).toISOString()).delete();
  }

  async #snapshot(need: Need): Promise<Snapshot> {
    const { pages = [], liveChat = [], waiting, rejected } = need;
    // Asked for together, so that the transaction makes one round trip.
    const [record, marks, retired, waitingSeqs, rejectedRows] = await Promise.all([
      this.read(),
      pages.length > 0 ? this.#pages.bulkGet([...pages]) : [],
      liveChat.length > 0 ? this.#retired.bulkGet([...liveChat]) : [],
      waiting ? this.#rowsOf("waiting", waiting.profile, waiting.from, waiting.to + 1).primaryKeys() : [],
      rejected ? this.inspect({ state: "rejected", ...rejected }) : [],
    ]);
    const known = marks.flatMap((stored) => (stored ? [withInstants<PageMarks>(stored)] : []));
    return {
      record,
      pages: new Map(known.map((page) => [page.pageId, page])),
      retired: new Set(retired.flatMap((row) => (row ? [row.key] : []))),
      waitingSeqs,
      rejected: rejectedRows,
    };
  }

  async #write({ record, pages = [], retire = [], put = [], remove = [], erase }: Change): Promise<void> {
    if (erase) await Promise.all([this.#outbox.clear(), this.#pages.clear(), this.#definitions.clear()]);
    await Promise.all([
      record && this.#tracker.put(withReadableTimes(record), RECORD_KEY),
      pages.length > 0 && this.#pages.bulkPut(pages.map(withReadableTimes)),
      retire.length > 0 && this.#retired.bulkPut(retire.map((key) => ({ key }))),
      put.length > 0 && this.#outbox.bulkPut([...put]),
      remove.length > 0 && this.#remove(remove),
    ]);
  }

  /** A gapless run goes as one range, which costs no more than one row. */
  async #remove(seqs: readonly number[]): Promise<void> {
    const first = seqs[0] as number;
    const last = seqs.at(-1) as number;
    if (last - first + 1 === seqs.length)
      await this.#outbox.where("seq").between(first, last, true, true).delete();
    else await this.#outbox.bulkDelete([...seqs]);
  }

  /** A profile's rows in one state, from one `seq` (included) up to another (excluded). */
  #rowsOf(
    state: OutboxRow["state"],
    { kind, id }: Profile,
    from = 0,
    before = Infinity,
  ): Collection<OutboxRow, number> {
    return this.#outbox.where(BY_PROFILE).between([state, kind, id, from], [state, kind, id, before]);
  }
}
