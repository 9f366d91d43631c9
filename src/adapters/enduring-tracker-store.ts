/**
 * The store on disk for as long as the disk answers, and memory while it does not. Every wait has an end; a connection
 * that was lost is opened again; what was accepted in memory moves to disk, in one transaction, once that answers.
 *
 * Nothing is applied twice. A commit that was given up before it decided can decide no more. One that had decided may
 * still happen: memory takes over its very rows, under their ids, and the numbers of its commands, which the disk then
 * knows, keep them from being moved there again. A commit that was rejected is decided anew on what the disk holds then,
 * so that it does no harm where the first had happened after all.
 */
import type {
  CachedDefinitions,
  WriteSet,
  Clock,
  ReadSet,
  RowQuery,
  Snapshot,
  Timers,
  TrackerStore,
  WaitingRows,
} from "../core/ports.js";
import { waitingIn } from "../core/record/profile-queues.js";
import { bringHome, isCovered, needToBringHome, withKnown, withoutDisk } from "../core/bring-home.js";
import type { ProcessedCommands } from "../core/commands/processed-commands.js";
import type { TrackerRecord } from "../core/tracker-record.js";
import { emptyRecord } from "../core/tracker-record.js";
import type { Profile } from "../protocol/api.js";
import { SECOND } from "../protocol/wire.js";
import { isFull, isOurFault, storageFull } from "./disk-failures.js";
import { MemoryTrackerStore } from "./memory-tracker-store.js";
import type { Wait } from "./silence.js";
import { SILENT, unlessSilent } from "./silence.js";

/** A page leaves a host that says nothing for 3 s: within this, and what comes after, it has an answer. */
const SILENCE_MS = 2 * SECOND;
/** Where others get answers and this one does not, it stands behind something that does not move. */
const LONGEST_WAIT_MS = 5 * SECOND;
/** A slow disk writes so many rows in this time. */
const ROWS_A_SECOND = 2_000;
const FIRST_RETURN_MS = 1 * SECOND;
const LONGEST_RETURN_MS = 15 * SECOND;
/** Pages whose marks a host carries over into memory: those that it served last. */
const PAGES_KNOWN = 50;

/** Live Chat sessions that it knows to be over: those that it retired last. */
const RETIRED_KNOWN = 100;

export interface DiskStore extends TrackerStore {
  close(): void;
}

interface Options {
  /** Rejects where the disk is not to be had. */
  open: () => Promise<DiskStore>;
  clock: Clock;
  timers: Timers;
  /** `kind` has changed. */
  onMove: () => void;
}

type Decision<Result> = { change: WriteSet; result: Result };
type Decide<Result> = (snapshot: Snapshot) => Decision<Result>;

interface Attempt<Result> {
  isGivenUp: boolean;
  /** Made, and perhaps stored. */
  decision?: Decision<Result>;
  /** Rows from this number on are new in it. */
  nextSeq?: number;
  /** Memory holds what it decided. */
  isTaken?: boolean;
  /** The decision threw: no failure of the disk. */
  refusal?: { error: unknown };
}

/** How things stood when the disk was asked. */
interface Asked {
  isHere: boolean;
  departures: number;
  doubtful: Attempt<unknown> | null;
}

const writingMs = (rows: number): number => (rows / ROWS_A_SECOND) * SECOND;

export class EnduringTrackerStore implements TrackerStore {
  readonly #options: Options;
  #opening: Promise<DiskStore> | null = null;
  #isOpen = false;
  #memory: MemoryTrackerStore | null = null;
  /** What memory began with. */
  #begun: TrackerRecord | null = null;
  /** Rows that waited on the disk when memory took over. */
  #leftWaiting = 0;
  /** The first number that no memory of this host has given. */
  #unusedFrom = 0;
  /** While a move to disk has taken what memory holds, and is not through. */
  #moving: Promise<void> | null = null;
  /** The last commit that has decided, while nobody knows whether it happens. */
  #doubtful: Attempt<unknown> | null = null;
  readonly #retired = new Set<string>();
  /** What the disk said last. */
  #known: TrackerRecord | null = null;
  readonly #pages = new Map<string, ProcessedCommands>();
  #definitions: CachedDefinitions | null = null;
  /** How often memory took over: what the disk says late, of a time before, is no news. */
  #departures = 0;
  #returnMs = FIRST_RETURN_MS;
  /** Answers so far: a disk that is busy with others' work is not silent. */
  #reads = 0;
  #commits = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  get kind(): "disk" | "memory" {
    return this.#memory ? "memory" : "disk";
  }

  get outOfReach(): number {
    return this.#memory && !this.#memory.isErased ? this.#leftWaiting : 0;
  }

  async commit<Result>(readSet: ReadSet, decide: Decide<Result>): Promise<Result> {
    const attempt: Attempt<Result> = { isGivenUp: false };
    const wait = {
      heard: () => this.#commits,
      isOver: () => this.#memory !== null,
      extraMs: () => writingMs(attempt.decision?.change.put?.length ?? 0),
    };
    const onDisk = (disk: DiskStore): Promise<Result> => this.#commitOn(disk, readSet, decide, attempt);
    const answer = await this.#ask(onDisk, wait, attempt);
    if (answer !== SILENT) return answer;
    attempt.isGivenUp = true;
    this.#leave();
    if (attempt.decision && attempt.isTaken) return attempt.decision.result;
    // Nothing is awaited between this and the commit: a move that begins takes it along.
    while (this.#moving) await this.#moving;
    return this.#memory ? this.#memory.commit(readSet, decide) : this.commit(readSet, decide);
  }

  async #commitOn<Result>(
    disk: DiskStore,
    readSet: ReadSet,
    decide: Decide<Result>,
    attempt: Attempt<Result>,
  ): Promise<Result> {
    let isEmptied = false;
    const departures = this.#departures;
    const committing = disk.commit(readSet, (snapshot) => {
      if (attempt.isGivenUp || this.#memory) throw new Error("given up");
      this.#commits += 1;
      try {
        const record = withKnown(snapshot.record, this.#known);
        isEmptied = record !== snapshot.record;
        const made = decide({ ...snapshot, record });
        attempt.decision = { ...made, change: { ...made.change, record: made.change.record ?? record } };
        attempt.nextSeq = record.nextSeq;
        this.#doubtful = attempt;
        return isEmptied ? attempt.decision : made;
      } catch (error) {
        attempt.refusal = { error };
        throw error;
      }
    });
    const result = await committing.finally(() => {
      if (this.#doubtful === attempt) this.#doubtful = null;
    });
    this.#commits += 1;
    if (attempt.decision && departures === this.#departures) this.#remember(attempt.decision.change);
    if (isEmptied && this.#definitions) void this.writeDefinitions(this.#definitions).catch(() => undefined);
    return result;
  }

  async read(): Promise<TrackerRecord> {
    return this.#read(async (store) => {
      const asked = this.#asking();
      return this.#seen(store, await store.read(), asked);
    });
  }

  readWaiting(profiles: readonly Profile[], limit: number, after?: number): Promise<WaitingRows> {
    return this.#read(async (store) => {
      const asked = this.#asking();
      const { record, rows } = await store.readWaiting(profiles, limit, after);
      return { record: this.#seen(store, record, asked), rows };
    });
  }

  #asking(): Asked {
    const { kind } = this;
    return { isHere: kind === "disk", departures: this.#departures, doubtful: this.#doubtful };
  }

  /** A record as it was read, with what an emptied disk has forgotten. */
  #seen(store: TrackerStore, record: TrackerRecord, asked: Asked): TrackerRecord {
    if (store.kind === "memory") return record;
    const restored = withKnown(record, this.#known);
    const isNews = asked.isHere && asked.departures === this.#departures;
    if (restored !== record || !isNews) return restored;
    this.#known = record;
    // Read after that commit: what it says is what became of it.
    if (asked.doubtful === this.#doubtful) this.#doubtful = null;
    return restored;
  }

  countWaiting(profile: Profile, beforeSeq: number): Promise<number> {
    return this.#read((store) => store.countWaiting(profile, beforeSeq));
  }

  inspect(query: RowQuery) {
    return this.#read((store) => store.inspect(query));
  }

  async readDefinitions(): Promise<CachedDefinitions | null> {
    return (this.#definitions = await this.#read((store) => store.readDefinitions()));
  }

  writeDefinitions(definitions: CachedDefinitions): Promise<void> {
    this.#definitions = definitions;
    return this.#read((store) => store.writeDefinitions(definitions));
  }

  forgetPages(beforeInstant: number): Promise<void> {
    return this.#read((store) => store.forgetPages(beforeInstant));
  }

  /** Work that is harmless twice. */
  async #read<Result>(work: (store: TrackerStore) => Promise<Result>): Promise<Result> {
    const wait = { heard: () => this.#reads, isOver: () => this.#memory !== null };
    const answer = await this.#ask(async (disk) => {
      const result = await work(disk);
      this.#reads += 1;
      return result;
    }, wait);
    if (answer !== SILENT) return answer;
    this.#leave();
    return work(this.#inMemory);
  }

  /** Asks the disk, a second time over a new connection where the first was lost. */
  async #ask<Result>(
    work: (disk: DiskStore) => Promise<Result>,
    wait: Omit<Wait, "silenceMs" | "longestMs">,
    attempted: Pick<Attempt<Result>, "refusal"> = {},
  ): Promise<Result | typeof SILENT> {
    for (let round = 1; round <= 2 && !this.#memory; round += 1) {
      const opening = this.#opened();
      try {
        return await this.#waitFor(opening.then(work), wait);
      } catch (error) {
        if (attempted.refusal) throw attempted.refusal.error;
        if (isFull(error)) throw storageFull();
        if (isOurFault(error)) throw error;
        this.#hangUp(opening);
      }
    }
    return SILENT;
  }

  #waitFor<Result>(
    work: Promise<Result>,
    wait: Omit<Wait, "silenceMs" | "longestMs">,
  ): Promise<Result | typeof SILENT> {
    const bounds = { silenceMs: SILENCE_MS, longestMs: LONGEST_WAIT_MS };
    return unlessSilent(this.#options.timers, work, { ...bounds, ...wait });
  }

  #opened(): Promise<DiskStore> {
    this.#opening ??= this.#options.open().then((disk) => {
      this.#isOpen = true;
      return disk;
    });
    return this.#opening;
  }

  #hangUp(opening: Promise<DiskStore> | null): void {
    if (!opening || this.#opening !== opening) return;
    this.#opening = null;
    this.#isOpen = false;
    opening.then(
      (disk) => disk.close(),
      () => undefined, // it never opened
    );
  }

  get #inMemory(): MemoryTrackerStore {
    return (this.#memory ??= new MemoryTrackerStore());
  }

  #remember({ record, pages = [], retire = [] }: WriteSet): void {
    if (record) this.#known = record;
    for (const key of retire) this.#retired.add(key);
    for (const key of this.#retired) if (this.#retired.size > RETIRED_KNOWN) this.#retired.delete(key);
    for (const processed of pages) {
      this.#pages.delete(processed.pageId);
      this.#pages.set(processed.pageId, processed);
    }
    for (const pageId of this.#pages.keys()) {
      if (this.#pages.size <= PAGES_KNOWN) break;
      this.#pages.delete(pageId);
    }
  }

  /** An erase is made anew in memory, so that it comes to the disk in any case. */
  #takeDoubtful(): WriteSet {
    const attempt = this.#doubtful;
    this.#doubtful = null;
    if (!attempt?.decision || attempt.decision.change.erase) return {};
    attempt.isTaken = true;
    const { change } = attempt.decision;
    // Changed rows are the disk's: there they stand in any case.
    return { ...change, put: change.put?.filter(({ seq }) => seq >= attempt.nextSeq!) ?? [] };
  }

  /** Goes on in memory, with what the disk may never have got. */
  #leave(): void {
    if (this.#memory) return;
    this.#departures += 1;
    const doubtful = this.#takeDoubtful();
    const { clock, onMove } = this.#options;
    const pages = new Map(this.#pages);
    for (const processed of doubtful.pages ?? []) pages.set(processed.pageId, processed);
    this.#begun = doubtful.record ?? this.#known;
    const record = this.#begun ?? emptyRecord();
    const doubtfulRows = doubtful.put ?? [];
    this.#leftWaiting = waitingIn(record) - doubtfulRows.filter(({ state }) => state === "waiting").length;
    this.#memory = new MemoryTrackerStore({
      ...withoutDisk(record, doubtfulRows, clock.now(), this.#unusedFrom),
      pages: [...pages.values()],
      retired: [...this.#retired, ...(doubtful.retire ?? [])],
      definitions: this.#definitions,
    });
    this.#returnMs = FIRST_RETURN_MS;
    // An open that was never answered is waited for further: to ask again would only make the queue longer.
    if (this.#isOpen) this.#hangUp(this.#opening);
    this.#returnLater();
    onMove();
  }

  #returnLater(): void {
    this.#options.timers.after(this.#returnMs, () => void this.#return());
    this.#returnMs = Math.min(LONGEST_RETURN_MS, 2 * this.#returnMs);
  }

  /** Brings what memory holds to the disk, if that answers. */
  async #return(): Promise<void> {
    const memory = this.#inMemory;
    const { clock, onMove } = this.#options;
    const opening = this.#opened();
    let isGivenUp = false;
    let letGo: (() => void) | undefined;
    const move = async (disk: DiskStore): Promise<WriteSet> => {
      const readSet = needToBringHome(memory.contents);
      const moved = await disk.commit(readSet, (snapshot) => {
        if (isGivenUp) throw new Error("given up");
        // A page came to memory since: what the disk knows of it was not asked for.
        if (!isCovered(needToBringHome(memory.contents), readSet)) return { change: {}, result: null };
        // What is accepted from here on waits for the end of this.
        this.#moving = new Promise((resolve) => {
          letGo = resolve;
        });
        const change = bringHome(snapshot, memory.contents, this.#known, clock.now(), this.#begun);
        return { change, result: change };
      });
      return moved ?? move(disk);
    };
    try {
      const extraMs = writingMs(memory.contents.rows.length);
      const wait = { heard: () => this.#commits, isOver: () => false, extraMs: () => extraMs };
      const moved = await this.#waitFor(opening.then(move), wait);
      if (moved !== SILENT) {
        this.#remember(moved);
        this.#unusedFrom = memory.contents.record.nextSeq;
        this.#memory = null;
      } else if (this.#isOpen) this.#hangUp(opening);
    } catch {
      this.#hangUp(opening); // no disk yet, or none with room
    }
    isGivenUp = true;
    this.#moving = null;
    letGo?.();
    if (this.#memory) return this.#returnLater();
    const { definitions } = memory.contents;
    if (definitions) void this.writeDefinitions(definitions).catch(() => undefined);
    onMove();
  }
}
