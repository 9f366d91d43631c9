/** The core's ports. Adapters implement them over browser APIs, the tests over a seeded scheduler. */
import type { OutboxRow, Profile } from "../protocol/api.js";
import type { DefinitionsAnswer } from "../protocol/wire.js";
import type { ProcessedCommands } from "./commands/processed-commands.js";
import type { TrackerRecord } from "./tracker-record.js";

/** The wall clock, in milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

export interface Timers {
  /** Calls back once after `delayMs`. The returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface Ids {
  uuid(): string;
  /** At most 30 characters of `[A-Za-z0-9_-]`, with enough randomness to be unique. */
  sessionId(): string;
}

/** What a decision reads in its transaction, in addition to the record. */
export interface ReadSet {
  pages?: readonly string[];
  /** Keys of Live Chat sessions that may be retired. */
  liveChat?: readonly string[];
  /** Which of a profile's rows between two `seq`s (both included) still wait. */
  waiting?: { profile: Profile; from: number; to: number };
  /** The first `limit` rejected rows after a `seq`. */
  rejected?: { after: number; limit: number };
}

export interface Snapshot {
  record: TrackerRecord;
  pages: ReadonlyMap<string, ProcessedCommands>;
  retired: ReadonlySet<string>;
  waitingSeqs: readonly number[];
  rejected: readonly OutboxRow[];
}

/** What a decision writes in its transaction: all of it is committed, or none. */
export interface WriteSet {
  record?: TrackerRecord;
  pages?: readonly ProcessedCommands[];
  retire?: readonly string[];
  /** Rows to add or to replace, by `seq`. */
  put?: readonly OutboxRow[];
  /** Rows to delete, by `seq`: ascending, each once. */
  remove?: readonly number[];
  /** Clears pages, outbox and definitions before the rest is written; retired Live Chat sessions stay. */
  erase?: boolean;
}

export interface CachedDefinitions extends DefinitionsAnswer {
  etag?: string;
}

export interface RowQuery {
  state?: "waiting" | "rejected";
  after: number;
  limit: number;
}

export interface WaitingRows {
  record: TrackerRecord;
  rows: OutboxRow[];
}

/**
 * The transactional store of one origin and namespace. `commit` is a read-write transaction: it reads the read set, lets
 * the decision be made synchronously, and writes the write set, with no other commit of any host in between.
 */
export interface TrackerStore {
  /** A store in memory holds what this host has accepted, and ends with the host. */
  readonly kind: "disk" | "memory";
  commit<Result>(
    readSet: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
  ): Promise<Result>;
  read(): Promise<TrackerRecord>;
  /**
   * Returns the first waiting rows after a `seq` of one profile, in order: the profile whose waiting row comes first. Also
   * returns the record of that moment.
   */
  readWaiting(profiles: readonly Profile[], limit: number, after?: number): Promise<WaitingRows>;
  countWaiting(profile: Profile, beforeSeq: number): Promise<number>;
  /** Rows in the order of `seq`. */
  inspect(query: RowQuery): Promise<OutboxRow[]>;
  readDefinitions(): Promise<CachedDefinitions | null>;
  writeDefinitions(definitions: CachedDefinitions): Promise<void>;
  /** Deletes the ledger entries of pages whose last message came before this instant. */
  forgetPages(beforeInstant: number): Promise<void>;
}

export interface WireRequest {
  method: "GET" | "POST";
  /** Absolute URL. */
  url: string;
  headers: Record<string, string>;
  /** JSON. */
  body?: string;
  /** Allows the transport to compress the body, if that is worth it. */
  mayCompress?: boolean;
}
/** A response. Status 0 means that there was none: a broken connection, a redirect, a timeout, or `abortAll`. */
export interface WireAnswer {
  status: number;
  /** With status 0: `abortAll` ended the request, so its failure says nothing about the service. */
  cutOff?: true;
  /** The request's body was sent compressed. */
  compressed?: true;
  /** Parsed JSON; `undefined` where the body was not JSON. */
  body?: unknown;
  retryAfterMs?: number;
  etag?: string;
}
export interface Transport {
  send(request: WireRequest): Promise<WireAnswer>;
  /** Aborts every pending request at once. */
  abortAll(): void;
}

export interface Hold {
  release(): void;
}
/** A Web Lock, in hosts that use one. Without it (`exclusive: false`), the lease alone gives the right to send. */
export interface SendLock {
  readonly exclusive: boolean;
  /** Returns `null` if another host holds it. With `steal`, a holder that outlived its lease loses it. */
  tryHold(options?: { steal: boolean }): Promise<Hold | null>;
}

/** Notifies the other hosts of the origin that the store has changed, and is notified of their changes. */
export interface ChangeSignal {
  /** Many changes in a row are announced a few times a second; with `atOnce`, this one does not wait for others. */
  announce(options?: { atOnce: boolean }): void;
  listen(listener: () => void): () => void;
}

export interface Ports {
  clock: Clock;
  timers: Timers;
  ids: Ids;
  /** Uniform in [0, 1). */
  random: () => number;
  store: TrackerStore;
  transport: Transport;
  lock: SendLock;
  changes: ChangeSignal;
}
