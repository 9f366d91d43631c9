/** The next batch's rows, read while those before them are on their way. */
import type { OutboxRow, Profile } from "../../protocol/api.js";
import type { TrackerStore, WaitingRows } from "../ports.js";
import { sameProfile } from "../record/profile-queues.js";
import type { ProfileQueue, TrackerRecord } from "../tracker-record.js";

interface Ahead {
  profile: Profile;
  generation: number;
  /** Set once they are read. */
  rows?: OutboxRow[];
}

export class ReadAhead {
  readonly #store: TrackerStore;
  #ahead: Ahead | null = null;

  constructor(store: TrackerStore) {
    this.#store = store;
  }

  /**
   * Reads what comes after these rows, if that is a whole batch. Of several profiles none, for another may come first
   * then.
   */
  begin(
    record: TrackerRecord,
    queues: readonly ProfileQueue[],
    sent: readonly OutboxRow[],
    limit: number,
  ): void {
    const [queue] = queues;
    this.#ahead = null;
    if (!queue || queues.length > 1 || queue.waiting < sent.length + limit) return;
    const ahead: Ahead = { profile: queue.profile, generation: record.generation };
    this.#store.readWaiting([queue.profile], limit, sent.at(-1)?.seq).then(
      ({ rows }) => (ahead.rows = rows),
      () => undefined, // the store failed: read again, when it is their turn
    );
    this.#ahead = ahead;
  }

  /** What does not leave the outbox comes first again. */
  drop(): void {
    this.#ahead = null;
  }

  /**
   * What was read ahead, with the record of the turn that lets it be sent. Whatever was decided since has added rows
   * at most, unless it erased them.
   */
  take(record: TrackerRecord, profiles: readonly Profile[], limit: number): WaitingRows | null {
    const ahead = this.#ahead;
    this.#ahead = null;
    const [profile = null] = profiles;
    const isNext =
      profiles.length === 1 &&
      ahead?.generation === record.generation &&
      sameProfile(profile, ahead.profile) &&
      ahead.rows?.length === limit;
    return isNext && ahead.rows ? { record, rows: ahead.rows } : null;
  }
}
