/**
 * A store that remembers the record which this host read or committed last, so that what only looks at it (the state that
 * pages are shown, the plan of delivery, the session's timer) costs no transaction. Once another host reports a change,
 * the record is read again. What must hold is decided within transactions, never by what is remembered.
 */
import type { ReadSet, Snapshot, TrackerStore, WriteSet } from "./ports.js";
import type { TrackerRecord } from "./tracker-record.js";

export class LastKnownStore implements TrackerStore {
  readonly #store: TrackerStore;
  #last: { record: TrackerRecord; kind: TrackerStore["kind"] } | null = null;
  /** Counts what makes a record of before outdated: this host's decisions, in their order, and reports of others. */
  #changes = 0;
  /** The count that the last known record belongs to. */
  #lastChange = 0;

  constructor(store: TrackerStore) {
    this.#store = store;
  }

  get kind(): TrackerStore["kind"] {
    return this.#store.kind;
  }

  /** The record as this host knows it; `null` where another one has changed it, or the host has failed over. */
  get lastKnown(): TrackerRecord | null {
    return this.#last?.kind === this.kind ? this.#last.record : null;
  }

  /** The record as this host knows it, read where it does not. */
  async look(): Promise<TrackerRecord> {
    return this.lastKnown ?? this.read();
  }

  /** Another host has changed the record. */
  forget(): void {
    this.#last = null;
    this.#lastChange = ++this.#changes;
  }

  async commit<Result>(
    readSet: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
  ): Promise<Result> {
    let decided: { record: TrackerRecord; change: number } | undefined;
    const result = await this.#store.commit(readSet, (snapshot) => {
      const decision = decide(snapshot);
      decided = { record: decision.change.record ?? snapshot.record, change: ++this.#changes };
      return decision;
    });
    if (decided) this.#remember(decided.record, decided.change);
    return result;
  }

  async read(): Promise<TrackerRecord> {
    const before = this.#changes;
    const record = await this.#store.read();
    if (before === this.#changes) this.#remember(record, before);
    return record;
  }

  readWaiting: TrackerStore["readWaiting"] = async (...request) => {
    const before = this.#changes;
    const waiting = await this.#store.readWaiting(...request);
    if (before === this.#changes) this.#remember(waiting.record, before);
    return waiting;
  };
  countWaiting: TrackerStore["countWaiting"] = (...request) => this.#store.countWaiting(...request);
  inspect: TrackerStore["inspect"] = (query) => this.#store.inspect(query);
  readDefinitions = () => this.#store.readDefinitions();
  writeDefinitions: TrackerStore["writeDefinitions"] = (definitions) =>
    this.#store.writeDefinitions(definitions);
  forgetPages: TrackerStore["forgetPages"] = (before) => this.#store.forgetPages(before);

  #remember(record: TrackerRecord, change: number): void {
    if (change < this.#lastChange) return;
    this.#last = { record, kind: this.kind };
    this.#lastChange = change;
  }
}
