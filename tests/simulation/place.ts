/** The rows that stand in one place, the origin's disk or a host's memory, and how they are counted there. */
import type { OutboxRow, Profile } from "../../src/protocol/api.js";
import { profileKey } from "../../src/core/delivery/registrar.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import type { SelectionModel } from "./selection-model.js";
import type { SessionModel } from "./session-model.js";

/**
 * `moved`: as its host retired, from memory to the disk. `died`: with its host, in memory. `cleared`: with the disk.
 * `dropped`: somebody let go of what waited for a profile that cannot be registered.
 */
export type Fate =
  "waiting" | "gone" | "rejected" | "discarded" | "dropped" | "erased" | "moved" | "died" | "cleared";

/** One row in one place: where a host fails over it may come to stand in two. */
export interface Accepted {
  row: OutboxRow;
  fate: Fate;
  wasRejected: boolean;
  place: Place;
  /** The host's memory from which it came to the disk. */
  movedFrom?: Place;
}

export class Place {
  readonly kind: "disk" | "memory";
  readonly rows = new Map<number, Accepted>();
  readonly lanes = new Map<string, { waiting: number; rejected: number }>();
  sessions: SessionModel;
  selection: SelectionModel;

  constructor(kind: "disk" | "memory", sessions: SessionModel, selection: SelectionModel) {
    this.kind = kind;
    this.sessions = sessions;
    this.selection = selection;
  }

  add(row: OutboxRow): Accepted {
    const accepted: Accepted = { row, fate: row.state, wasRejected: row.state === "rejected", place: this };
    this.rows.set(row.seq, accepted);
    this.profileQueueOf(row.profile)[row.state] += 1;
    return accepted;
  }

  /** Nothing of it is there any more. */
  empty(fate: Fate): void {
    for (const accepted of this.rows.values()) accepted.fate = fate;
    this.rows.clear();
    this.lanes.clear();
  }

  profileQueueOf(profile: Profile): { waiting: number; rejected: number } {
    const key = profileKey(profile);
    const queue = this.lanes.get(key) ?? { waiting: 0, rejected: 0 };
    this.lanes.set(key, queue);
    return queue;
  }

  /** What is wrong with the counters of the record that stands in this place. */
  problemWith(record: TrackerRecord): string | null {
    let counted = 0;
    for (const { profile, waiting, rejected } of record.lanes) {
      const queue = this.lanes.get(profileKey(profile));
      counted += waiting + rejected;
      if (waiting !== (queue?.waiting ?? 0) || rejected !== (queue?.rejected ?? 0))
        return `the counters of ${profileKey(profile)} are wrong`;
    }
    return counted === this.rows.size ? null : "a profile with rows has no lane";
  }

  get waiting(): number {
    let count = 0;
    for (const { fate } of this.rows.values()) if (fate === "waiting") count += 1;
    return count;
  }
}

/** What a host holds in memory, from when it fails over until it retires or dies. */
export class Memory extends Place {
  /** The disk's record as the host had heard it last; `null` where it never had. */
  readonly left: TrackerRecord | null;
  /** The disk's version that its models begin with; `null` where others had moved on. */
  version: number | null;
  /** Its models know all that it began with. */
  isExact: boolean;
  /** All that was ever accepted here, in order. */
  readonly all: Accepted[] = [];
  record: TrackerRecord | null = null;
  begun: TrackerRecord | null = null;
  isErased = false;
  /** Live Chat sessions that were retired here. */
  readonly retired: string[] = [];
  /** The numbers of the rows that it held as it was written to the disk last. */
  closedWith: ReadonlySet<number> = new Set();
  /** What it began with was erased before that could be looked at. */
  isBlind = false;
  /** Commits that came before it was known what memory begins with. */
  readonly early: { before: TrackerRecord; erases: boolean; commit: () => void }[] = [];

  constructor(
    left: TrackerRecord | null,
    version: number | null,
    sessions: SessionModel,
    selection: SelectionModel,
  ) {
    super("memory", sessions, selection);
    this.left = left;
    this.version = version;
    this.isExact = version !== null;
  }

  isExactFrom(version: number): void {
    this.version = version;
    this.isExact = true;
  }

  override add(row: OutboxRow): Accepted {
    const accepted = super.add(row);
    this.all.push(accepted);
    return accepted;
  }
}
