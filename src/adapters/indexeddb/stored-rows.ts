/** What one transaction reads and writes of the database. */
import type { ProcessedCommands } from "../../core/commands/processed-commands.js";
import type { ReadSet, RowQuery, Snapshot, WriteSet } from "../../core/ports.js";
import type { TrackerRecord } from "../../core/tracker-record.js";
import { emptyRecord } from "../../core/tracker-record.js";
import type { OutboxRow, Profile } from "../../protocol/api.js";
import { allAsked, asked } from "./idb-transaction.js";
import { withInstants, withReadableTimes } from "./readable-times.js";
import { BY_PROFILE } from "./schema.js";

const RECORD_KEY = "tracker";

export const recordIn = async (transaction: IDBTransaction): Promise<TrackerRecord> => {
  const stored = await asked<object | undefined>(transaction.objectStore("tracker").get(RECORD_KEY));
  return stored ? withInstants<TrackerRecord>(stored) : emptyRecord();
};

const byProfile = (transaction: IDBTransaction): IDBIndex =>
  transaction.objectStore("outbox").index(BY_PROFILE);

/** A profile's rows in one state, from one `seq` (included) up to another (excluded). */
const rangeOf = (
  state: OutboxRow["state"],
  { kind, id }: Profile,
  from = 0,
  before = Infinity,
): IDBKeyRange => IDBKeyRange.bound([state, kind, id, from], [state, kind, id, before], false, true);

/** Returns the first waiting rows after a `seq` of one profile: the one whose waiting row comes first. */
export const waitingIn = async (
  transaction: IDBTransaction,
  profiles: readonly Profile[],
  limit: number,
  after: number,
): Promise<OutboxRow[]> => {
  const index = byProfile(transaction);
  const ranges = profiles.map((profile) => rangeOf("waiting", profile, after + 1));
  const firsts = ranges.length > 1 && (await allAsked(ranges.map((range) => asked(index.getKey(range)))));
  const [first] = firsts
    ? ranges
        .map((range, each) => ({ range, seq: (firsts[each] as number | undefined) ?? Infinity }))
        .toSorted((a, b) => a.seq - b.seq)
        .map(({ range }) => range)
    : ranges;
  return first ? asked(index.getAll(first, limit)) : [];
};

export const waitingCountIn = (
  transaction: IDBTransaction,
  profile: Profile,
  beforeSeq: number,
): Promise<number> => asked(byProfile(transaction).count(rangeOf("waiting", profile, 0, beforeSeq)));

/** IndexedDB's largest limit. */
const MOST_ROWS = 2 ** 32 - 1;

/** Returns the first rows after a `seq` of all profiles, in the order of `seq`. */
export const rowsIn = async (
  transaction: IDBTransaction,
  { state, after, limit: wanted }: RowQuery,
): Promise<OutboxRow[]> => {
  const limit = Math.min(wanted, MOST_ROWS);
  // For IndexedDB, a limit of 0 means no limit.
  if (limit === 0) return [];
  if (!state)
    return asked(transaction.objectStore("outbox").getAll(IDBKeyRange.lowerBound(after, true), limit));
  const { lanes } = await recordIn(transaction);
  const own = lanes
    .filter((queue) => queue[state] > 0)
    .map(({ profile }) => rangeOf(state, profile, after + 1))
    .map((range) => asked<OutboxRow[]>(byProfile(transaction).getAll(range, limit)));
  return (await allAsked(own))
    .flat()
    .toSorted((a, b) => a.seq - b.seq)
    .slice(0, limit);
};

const found = async <Row>(store: IDBObjectStore, keys: readonly string[]): Promise<Row[]> => {
  const rows = await allAsked(keys.map((key) => asked<Row | undefined>(store.get(key))));
  return rows.filter((row) => row !== undefined);
};

/** Reads all that a decision needs with one round trip to the database. */
export const snapshotIn = async (transaction: IDBTransaction, readSet: ReadSet): Promise<Snapshot> => {
  const { pages = [], liveChat = [], waiting, rejected } = readSet;
  const [record, processed, retired, waitingSeqs, rejectedRows] = await allAsked([
    recordIn(transaction),
    found<object>(transaction.objectStore("pages"), pages),
    found<{ key: string }>(transaction.objectStore("retiredLiveChatSessions"), liveChat),
    waiting
      ? asked(
          byProfile(transaction).getAllKeys(
            rangeOf("waiting", waiting.profile, waiting.from, waiting.to + 1),
          ),
        )
      : [],
    rejected ? rowsIn(transaction, { state: "rejected", ...rejected }) : [],
  ]);
  const known = processed.map((stored) => withInstants<ProcessedCommands>(stored));
  return {
    record,
    pages: new Map(known.map((page) => [page.pageId, page])),
    retired: new Set(retired.map(({ key }) => key)),
    waitingSeqs: waitingSeqs as number[],
    rejected: rejectedRows,
  };
};

export const writeIn = (
  transaction: IDBTransaction,
  { record, pages = [], retire = [], put = [], remove = [], erase }: WriteSet,
): void => {
  const store = (name: string): IDBObjectStore => transaction.objectStore(name);
  if (erase) for (const name of ["outbox", "pages", "definitions"]) store(name).clear();
  if (record) store("tracker").put(withReadableTimes(record), RECORD_KEY);
  for (const processed of pages) store("pages").put(withReadableTimes(processed));
  for (const key of retire) store("retiredLiveChatSessions").put({ key });
  if (put.length > 0) {
    const outbox = store("outbox");
    for (const row of put) outbox.put(row);
  }
  for (const [first, last] of runsOf(remove)) store("outbox").delete(IDBKeyRange.bound(first, last));
};

/** Deletes the ledger entries of pages whose last message came before an instant. */
export const forgetPagesIn = async (transaction: IDBTransaction, beforeInstant: number): Promise<void> => {
  const pages = transaction.objectStore("pages");
  const before = IDBKeyRange.upperBound(new Date(beforeInstant).toISOString(), true);
  for (const pageId of await asked(pages.index("touchedAt").getAllKeys(before))) pages.delete(pageId);
};

/** Groups ascending numbers into runs without gaps: deleting a run costs as much as deleting one row. */
const runsOf = (seqs: readonly number[]): [first: number, last: number][] => {
  const runs: [number, number][] = [];
  for (const seq of seqs) {
    const run = runs.at(-1);
    if (run && run[1] === seq - 1) run[1] = seq;
    else runs.push([seq, seq]);
  }
  return runs;
};
