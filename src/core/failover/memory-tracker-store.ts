/** The store of a host that has failed over: the same answers as the disk's, for as long as the host lives. */
import type { OutboxRow, Profile } from "../../protocol/api.js";
import type { ProcessedCommands } from "../commands/processed-commands.js";
import type { CachedDefinitions, ReadSet, RowQuery, Snapshot, TrackerStore, WriteSet } from "../ports.js";
import { sameProfile } from "../record/profile-queues.js";
import type { TrackerRecord } from "../tracker-record.js";
import { emptyRecord } from "../tracker-record.js";

/** All that the store holds, but for the definitions. */
export interface Held {
  record: TrackerRecord;
  rows: readonly OutboxRow[];
  pages: readonly ProcessedCommands[];
  retired: readonly string[];
}

type Matches = (row: OutboxRow) => boolean;

const isWaitingOf =
  (...profiles: readonly Profile[]): Matches =>
  ({ state, profile }) =>
    state === "waiting" && profiles.some((one) => sameProfile(one, profile));

export class MemoryTrackerStore implements TrackerStore {
  readonly kind = "memory";
  #record = emptyRecord();
  #definitions: CachedDefinitions | null = null;
  /** In the order of `seq`, which only grows. */
  readonly #rows = new Map<number, OutboxRow>();
  readonly #pages = new Map<string, ProcessedCommands>();
  readonly #retired = new Set<string>();

  constructor(opening: WriteSet = {}) {
    this.#write(opening);
  }

  get held(): Held {
    return {
      record: this.#record,
      rows: [...this.#rows.values()],
      pages: [...this.#pages.values()],
      retired: [...this.#retired],
    };
  }

  async commit<Result>(
    { pages = [], liveChat = [], waiting, rejected }: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
  ): Promise<Result> {
    const isWanted = waiting && isWaitingOf(waiting.profile);
    const { change, result } = decide({
      record: this.#record,
      pages: new Map(
        pages.flatMap((id) => this.#pages.get(id) ?? []).map((processed) => [processed.pageId, processed]),
      ),
      retired: new Set(liveChat.filter((key) => this.#retired.has(key))),
      waitingSeqs: isWanted
        ? this.#first(Infinity, waiting.from - 1, (row) => row.seq <= waiting.to && isWanted(row)).map(
            ({ seq }) => seq,
          )
        : [],
      rejected: rejected ? this.#select({ state: "rejected", ...rejected }) : [],
    });
    this.#write(change);
    return result;
  }

  read = async () => this.#record;

  readWaiting: TrackerStore["readWaiting"] = async (profiles, limit, after = 0) => {
    const [first] = this.#first(1, after, isWaitingOf(...profiles));
    const rows = first ? this.#first(limit, after, isWaitingOf(first.profile)) : [];
    return { record: this.#record, rows };
  };

  countWaiting: TrackerStore["countWaiting"] = async (profile, beforeSeq) => {
    const isWaiting = isWaitingOf(profile);
    return this.#first(Infinity, 0, (row) => row.seq < beforeSeq && isWaiting(row)).length;
  };

  inspect = async (query: RowQuery) => this.#select(query);

  readDefinitions = async () => this.#definitions;

  writeDefinitions: TrackerStore["writeDefinitions"] = async (definitions) => {
    this.#definitions = definitions;
  };

  forgetPages: TrackerStore["forgetPages"] = async (beforeInstant) => {
    for (const [pageId, { touchedAt }] of this.#pages) {
      if (touchedAt < beforeInstant) this.#pages.delete(pageId);
    }
  };

  #select({ state, after, limit }: RowQuery): OutboxRow[] {
    return this.#first(limit, after, (row) => !state || row.state === state);
  }

  /** In the order of `seq`, and no further than needed: what is sent stands at the beginning. */
  #first(limit: number, after: number, matches: Matches): OutboxRow[] {
    const found: OutboxRow[] = [];
    for (const row of this.#rows.values()) {
      if (found.length >= limit) break;
      if (row.seq > after && matches(row)) found.push(row);
    }
    return found;
  }

  #write({ record, pages = [], retire = [], put = [], remove = [], erase }: WriteSet): void {
    if (erase) {
      this.#rows.clear();
      this.#pages.clear();
      this.#definitions = null;
    }
    if (record) this.#record = record;
    for (const processed of pages) this.#pages.set(processed.pageId, processed);
    for (const key of retire) this.#retired.add(key);
    for (const row of put) this.#rows.set(row.seq, row);
    for (const seq of remove) this.#rows.delete(seq);
  }
}
