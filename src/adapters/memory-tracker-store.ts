/** The store where IndexedDB is not to be had: the same answers, for as long as the host lives. */
import type { OutboxRow, Profile } from "../protocol/api.js";
import type { Held } from "../core/bring-home.js";
import { sameProfile } from "../core/record/profile-queues.js";
import type { ProcessedCommands } from "../core/commands/processed-commands.js";
import type {
  CachedDefinitions,
  WriteSet,
  ReadSet,
  RowQuery,
  Snapshot,
  TrackerStore,
  WaitingRows,
} from "../core/ports.js";
import type { TrackerRecord } from "../core/tracker-record.js";
import { emptyRecord } from "../core/tracker-record.js";

const isAmong = (profiles: readonly Profile[], profile: Profile): boolean =>
  profiles.some((one) => sameProfile(one, profile));

const waitingOf =
  (profile: Profile) =>
  (row: OutboxRow): boolean =>
    row.state === "waiting" && sameProfile(row.profile, profile);

export interface MemoryContents extends Held {
  definitions: CachedDefinitions | null;
}

export class MemoryTrackerStore implements TrackerStore {
  readonly kind = "memory";
  readonly outOfReach = 0;
  #record = emptyRecord();
  #definitions: CachedDefinitions | null = null;
  /** In the order of `seq`, which only grows. */
  readonly #rows = new Map<number, OutboxRow>();
  readonly #pages = new Map<string, ProcessedCommands>();
  readonly #retired = new Set<string>();
  #erased = false;

  constructor(start: Partial<MemoryContents> = {}) {
    this.#definitions = start.definitions ?? null;
    const { record = this.#record, rows = [], pages = [], retired = [] } = start;
    this.#write({ record, put: rows, pages, retire: retired });
  }

  /** An erase was asked for. */
  get isErased(): boolean {
    return this.#erased;
  }

  /** All that it holds. */
  get contents(): MemoryContents {
    return {
      record: this.#record,
      rows: [...this.#rows.values()],
      pages: [...this.#pages.values()],
      retired: [...this.#retired],
      erased: this.#erased,
      definitions: this.#definitions,
    };
  }

  async commit<Result>(
    readSet: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
  ): Promise<Result> {
    const { waiting, rejected } = readSet;
    const { change, result } = decide({
      record: this.#record,
      pages: new Map(
        (readSet.pages ?? []).flatMap((id) => this.#pages.get(id) ?? []).map((m) => [m.pageId, m]),
      ),
      retired: new Set((readSet.liveChat ?? []).filter((key) => this.#retired.has(key))),
      waitingSeqs: waiting ? this.#waitingSeqs(waiting) : [],
      rejected: rejected ? this.#select({ state: "rejected", ...rejected }) : [],
    });
    this.#write(change);
    return result;
  }

  async read(): Promise<TrackerRecord> {
    return this.#record;
  }

  async readWaiting(profiles: readonly Profile[], limit: number, after = 0): Promise<WaitingRows> {
    const first = this.#first(
      ({ state, profile, seq }) => seq > after && state === "waiting" && isAmong(profiles, profile),
      1,
    )[0];
    if (!first) return { record: this.#record, rows: [] };
    const isWaiting = waitingOf(first.profile);
    return { record: this.#record, rows: this.#first((row) => row.seq > after && isWaiting(row), limit) };
  }

  async countWaiting(profile: Profile, beforeSeq: number): Promise<number> {
    const isWaiting = waitingOf(profile);
    return this.#first((row) => row.seq < beforeSeq && isWaiting(row), Infinity).length;
  }

  async inspect(query: RowQuery): Promise<OutboxRow[]> {
    return this.#select(query);
  }

  async readDefinitions(): Promise<CachedDefinitions | null> {
    return this.#definitions;
  }

  async writeDefinitions(definitions: CachedDefinitions): Promise<void> {
    this.#definitions = definitions;
  }

  async forgetPages(beforeInstant: number): Promise<void> {
    for (const [pageId, { touchedAt }] of this.#pages) {
      if (touchedAt < beforeInstant) this.#pages.delete(pageId);
    }
  }

  #waitingSeqs({ profile, from, to }: NonNullable<ReadSet["waiting"]>): number[] {
    const isWaiting = waitingOf(profile);
    return this.#first((row) => row.seq >= from && row.seq <= to && isWaiting(row), to - from + 1).map(
      ({ seq }) => seq,
    );
  }

  #select({ state, after, limit }: RowQuery): OutboxRow[] {
    return this.#first((row) => row.seq > after && (!state || row.state === state), limit);
  }

  /** In the order of `seq`, and no further than needed: what is sent stands at the beginning. */
  #first(matches: (row: OutboxRow) => boolean, limit: number): OutboxRow[] {
    const found: OutboxRow[] = [];
    if (limit <= 0) return found;
    for (const row of this.#rows.values()) {
      if (!matches(row)) continue;
      found.push(row);
      if (found.length >= limit) break;
    }
    return found;
  }

  #write(change: WriteSet): void {
    if (change.erase) {
      this.#erased = true;
      this.#rows.clear();
      this.#pages.clear();
      this.#definitions = null;
    }
    if (change.record) this.#record = change.record;
    for (const processed of change.pages ?? []) this.#pages.set(processed.pageId, processed);
    for (const key of change.retire ?? []) this.#retired.add(key);
    for (const row of change.put ?? []) this.#rows.set(row.seq, row);
    for (const seq of change.remove ?? []) this.#rows.delete(seq);
  }
}
