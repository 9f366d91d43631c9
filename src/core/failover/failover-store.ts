/**
 * The store on disk for as long as the disk works, and in memory from then on. There is no way back: once there is
 * nothing to send and the disk answers again, the store writes there what must not be forgotten and retires; a new one
 * begins.
 *
 * A commit that was given up before it decided can decide no more. Of one that had decided nobody knows whether it
 * happens: memory takes it along under its ids, and the service drops what it receives twice.
 */
import { SECOND } from "../../protocol/wire.js";
import type { Ports, ReadSet, Snapshot, TrackerStore, WriteSet } from "../ports.js";
import type { TrackerRecord } from "../tracker-record.js";
import type { DiskStore, Work } from "./disk-connection.js";
import { DecisionFailed, DiskConnection } from "./disk-connection.js";
import { withKnown } from "./emptied-disk.js";
import { MemoryTrackerStore } from "./memory-tracker-store.js";
import { openingChange } from "./opening-change.js";
import { closingChange, mayRetire, needToRetire } from "./retirement.js";
import { STALLED } from "./stall-timeout.js";

const FIRST_PROBE_MS = 1 * SECOND;
const LONGEST_PROBE_MS = 15 * SECOND;

interface Options extends Pick<Ports, "clock" | "timers"> {
  /** Rejects where the disk does not open. */
  open: () => Promise<DiskStore>;
  /** `kind` has changed. */
  onFailover: () => void;
  /** Another store must take over: this one rejects whatever is asked of it from now on. */
  onRetired: () => void;
}

type Decide<Result> = (snapshot: Snapshot) => { change: WriteSet; result: Result };

interface Attempt {
  isGivenUp?: true;
  /** Made, and perhaps stored. Rows from `firstNewSeq` on are new in it. */
  decided?: { change: WriteSet; firstNewSeq: number };
}

const decidedBy = <Decision>(decide: () => Decision): Decision => {
  try {
    return decide();
  } catch (error) {
    throw new DecisionFailed("the decision threw", { cause: error });
  }
};

export class FailoverStore implements TrackerStore {
  readonly #options: Options;
  readonly #disk: DiskConnection;
  #memory: MemoryTrackerStore | null = null;
  /** The record on the disk, as this host read or wrote it last. */
  #known: TrackerRecord | null = null;
  readonly #retiredSessions = new Set<string>();
  /** What memory began with, then what the last try to retire made of it: the disk may hold that by this host's doing. */
  #begun: TrackerRecord | null = null;
  /** The last commit that has decided, while nobody knows whether it happens. */
  #inDoubt: Attempt["decided"] | null = null;
  /** While what memory holds is written to the disk. */
  #closing: Promise<void> | null = null;
  #isRetired = false;
  #probeMs = FIRST_PROBE_MS;

  constructor(options: Options) {
    this.#options = options;
    this.#disk = new DiskConnection(options.open, options.timers);
  }

  get kind(): "disk" | "memory" {
    return this.#memory ? "memory" : "disk";
  }

  async commit<Result>(readSet: ReadSet, decide: Decide<Result>): Promise<Result> {
    const attempt: Attempt = {};
    const onDisk: Work<Result> = (disk, onProgress) =>
      this.#commitOn(disk, readSet, decide, attempt, onProgress);
    const answer = await this.#onDisk(onDisk, () => attempt.decided?.change.put?.length ?? 0);
    if (answer !== STALLED) return answer;
    attempt.isGivenUp = true;
    this.#failOver();
    // Nothing is awaited between this and the commit, so that a retirement that begins finds it in memory.
    while (this.#closing) await this.#closing;
    // What memory has taken along is decided there: decided again, it is only answered.
    return this.#inMemory().commit(readSet, decide);
  }

  async #commitOn<Result>(
    disk: DiskStore,
    readSet: ReadSet,
    decide: Decide<Result>,
    attempt: Attempt,
    onProgress: () => void,
  ): Promise<Result> {
    try {
      const result = await disk.commit(readSet, (snapshot) => {
        if (attempt.isGivenUp || this.#memory) throw new Error("given up");
        onProgress();
        const record = withKnown(snapshot.record, this.#known);
        if (record === snapshot.record) this.#known = record;
        const { change, result } = decidedBy(() => decide({ ...snapshot, record }));
        const whole = { ...change, record: change.record ?? record };
        this.#inDoubt = attempt.decided = { change: whole, firstNewSeq: record.nextSeq };
        return { change: record === snapshot.record ? change : whole, result };
      });
      const { record, retire = [] } = attempt.decided?.change ?? {};
      if (record && !this.#memory) this.#known = record;
      for (const key of retire) this.#retiredSessions.add(key);
      return result;
    } finally {
      if (this.#inDoubt === attempt.decided) this.#inDoubt = null;
    }
  }

  read = async () => (await this.#hear(async (store) => ({ record: await store.read() }))).record;
  readWaiting: TrackerStore["readWaiting"] = (...request) =>
    this.#hear((store) => store.readWaiting(...request));

  /** Reads what has the record of that moment with it. */
  #hear<Heard extends { record: TrackerRecord }>(
    read: (store: TrackerStore) => Promise<Heard>,
  ): Promise<Heard> {
    return this.#read(async (store) => {
      const inDoubt = this.#inDoubt;
      const heard = await read(store);
      const record = withKnown(heard.record, this.#known);
      // An emptied disk says nothing of what it held, nor a late answer of what was known as the disk was left.
      if (record !== heard.record || this.#memory) return { ...heard, record };
      this.#known = record;
      // What was in doubt before is in the record, or will never be.
      if (inDoubt === this.#inDoubt) this.#inDoubt = null;
      return heard;
    });
  }

  countWaiting: TrackerStore["countWaiting"] = (...request) =>
    this.#read((store) => store.countWaiting(...request));
  inspect: TrackerStore["inspect"] = (query) => this.#read((store) => store.inspect(query));
  readDefinitions = () => this.#read((store) => store.readDefinitions());
  writeDefinitions: TrackerStore["writeDefinitions"] = (definitions) =>
    this.#read((store) => store.writeDefinitions(definitions));
  forgetPages: TrackerStore["forgetPages"] = (before) => this.#read((store) => store.forgetPages(before));

  /** Idempotent work. */
  async #read<Result>(work: (store: TrackerStore) => Promise<Result>): Promise<Result> {
    const answer = await this.#onDisk(work);
    if (answer !== STALLED) return answer;
    this.#failOver();
    return work(this.#inMemory());
  }

  async #onDisk<Result>(work: Work<Result>, rowsWritten?: () => number): Promise<Result | typeof STALLED> {
    return this.#memory ? STALLED : this.#disk.use(work, () => this.#memory !== null, rowsWritten);
  }

  #inMemory(): MemoryTrackerStore {
    if (!this.#memory || this.#isRetired) throw new Error("the tracker begins anew on the disk");
    return this.#memory;
  }

  #failOver(): void {
    if (this.#memory) return;
    // An erase is decided anew, so that it comes to the disk in any case.
    const made = this.#inDoubt?.change.erase ? null : this.#inDoubt;
    this.#begun = made?.change.record ?? this.#known;
    this.#memory = new MemoryTrackerStore(
      openingChange(this.#begun, this.#retiredSessions, made?.change, made?.firstNewSeq),
    );
    this.#probeLater();
    this.#options.onFailover();
  }

  #probeLater(): void {
    this.#options.timers.after(this.#probeMs, () => void this.#probe());
    this.#probeMs = Math.min(LONGEST_PROBE_MS, 2 * this.#probeMs);
  }

  async #probe(): Promise<void> {
    const memory = this.#inMemory();
    if (mayRetire(memory.held, this.#known, this.#options.clock.now())) await this.#close(memory);
    if (!this.#isRetired) return this.#probeLater();
    this.#disk.close();
    this.#options.onRetired();
  }

  /** Retires once the disk has what must not be forgotten. */
  async #close(memory: MemoryTrackerStore): Promise<void> {
    const { clock } = this.#options;
    const known = { left: this.#known, begun: this.#begun };
    let isGivenUp = false;
    let endClosing: (() => void) | undefined;
    const close = (disk: DiskStore): Promise<boolean> => {
      const readSet = needToRetire(memory.held);
      return disk.commit(readSet, (snapshot) => {
        if (isGivenUp) throw new Error("given up");
        const { held } = memory;
        // What it needs to know of a page that came to memory since, it asks for the next time.
        const isCovered = JSON.stringify(needToRetire(held)) === JSON.stringify(readSet);
        if (!isCovered || !mayRetire(held, known.left, clock.now())) return { change: {}, result: false };
        // What is accepted from here on waits for the end of this.
        this.#closing = new Promise((resolve) => (endClosing = resolve));
        const change = closingChange(snapshot, held, known, clock.now());
        this.#begun = change.record;
        return { change, result: true };
      });
    };
    const { length } = memory.held.rows;
    const using = this.#disk.use(
      close,
      () => false,
      () => length,
    );
    this.#isRetired = (await using.catch(() => false)) === true; // it rejects where the disk is full
    isGivenUp = true;
    this.#closing = null;
    endClosing?.();
  }
}
