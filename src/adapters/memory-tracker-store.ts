/** The store where IndexedDB is not to be had: the same answers, for as long as the host lives. */
import type { OutboxRow, Profile } from "../protocol/api.js";
import { sameProfile } from "../core/lanes.js";
import type { PageMarks } from "../core/page-marks.js";
import type { CachedDefinitions, Change, Need, RowQuery, Snapshot, TrackerStore } from "../core/ports.js";
import type { TrackerRecord } from "../core/tracker-record.js";
import { emptyRecord } from "../core/tracker-record.js";

export class MemoryTrackerStore implements TrackerStore {
  readonly kind = "memory";
  #record = emptyRecord();
  #definitions: CachedDefinitions | null = null;
  /** In the order of `seq`, which only grows. */
  readonly #rows = new Map<number, OutboxRow>();
  readonly #pages = new Map<string, PageMarks>();
  readonly #retired = new Set<string>();

  async commit<Result>(
    need: Need,
    decide: (snapshot: Snapshot) => { change: Change; result: Result },
  ): Promise<Result> {
    const { waiting, rejected } = need;
    const { change, result } = decide({
      record: this.#record,
      pages: new Map((need.pages ?? []).flatMap((id) => this.#pages.get(id) ?? []).map((m) => [m.pageId, m])),
      retired: new Set((need.liveChat ?? []).filter((key) => this.#retired.has(key))),
      waitingSeqs: waiting
        ? this.#waiting(waiting.profile)
            .map(({ seq }) => seq)
            .filter((seq) => seq >= waiting.from && seq <= waiting.to)
        : [],
      rejected: rejected ? this.#select({ state: "rejected", ...rejected }) : [],
    });
    this.#write(change);
    return result;
  }

  async read(): Promise<TrackerRecord> {
    return this.#record;
  }

  async readWaiting(profile: Profile, limit: number): Promise<OutboxRow[]> {
    return this.#waiting(profile).slice(0, limit);
  }

  async firstWaiting(profile: Profile): Promise<number | null> {
    return this.#waiting(profile)[0]?.seq ?? null;
  }

  async countWaiting(profile: Profile, beforeSeq: number): Promise<number> {
    return this.#waiting(profile).filter(({ seq }) => seq < beforeSeq).length;
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

  #waiting(profile: Profile): OutboxRow[] {
    return [...this.#rows.values()].filter(
      (row) => row.state === "waiting" && sameProfile(row.profile, profile),
    );
  }

  #select({ state, after, limit }: RowQuery): OutboxRow[] {
    return [...this.#rows.values()]
      .filter((row) => row.seq > after && (!state || row.state === state))
      .slice(0, limit);
  }

  #write(change: Change): void {
    if (change.erase) {
      this.#rows.clear();
      this.#pages.clear();
      this.#definitions = null;
    }
    if (change.record) this.#record = change.record;
    for (const marks of change.pages ?? []) this.#pages.set(marks.pageId, marks);
    for (const key of change.retire ?? []) this.#retired.add(key);
    for (const row of change.put ?? []) this.#rows.set(row.seq, row);
    for (const seq of change.remove ?? []) this.#rows.delete(seq);
  }
}
