/** The real store on a disk that misbehaves on demand, and time that a test moves. */
import { IndexedDbTrackerStore } from "../../src/adapters/indexeddb/indexeddb-tracker-store.js";
import type { DiskStore } from "../../src/core/failover/disk-connection.js";
import { FailoverStore } from "../../src/core/failover/failover-store.js";
import type { WriteSet, ReadSet, Snapshot } from "../../src/core/ports.js";
import { seededRandom } from "../support/random.js";
import { VirtualTime } from "../support/virtual-time.js";

const never = <Nothing>(): Promise<Nothing> => new Promise<Nothing>(() => undefined);

export const domError = (name: string, message = name): Error => Object.assign(new Error(message), { name });

/**
 * What becomes of one call to the disk:
 *
 * - `hang`: it is never answered, and does nothing
 * - `late`: it is not answered, and happens once `release()` is called
 * - `unheard`: it happens, and its answer is lost
 * - `undone`: it decides, is undone, and not answered
 * - `lost`: it happens, and is told as a lost connection
 */
export type Fault = "hang" | "late" | "unheard" | "undone" | "lost" | Error;

export class FaultyDisk {
  readonly time = new VirtualTime(seededRandom(1));
  readonly #namespace: string;
  readonly #held: (() => void)[] = [];
  #connections: IndexedDbTrackerStore[] = [];
  onOpen: () => Fault | undefined = () => undefined;
  /** Called when a commit has decided, and is not through. */
  onDecided: () => void = () => undefined;
  onCall: () => Fault | undefined = () => undefined;
  opens = 0;
  #atWork = 0;
  #isUndoing = false;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Lets time pass until this holds, and never while the disk is at work, which takes real time. */
  async until(holds: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
    const end = this.time.now + limitMs;
    for (;;) {
      await this.#quiet();
      if (await holds()) return;
      if (this.time.now >= end) throw new Error(`it did not come to hold within ${limitMs} ms`);
      await this.time.advance(100);
    }
  }

  /** What a promise answers, within so much time. */
  async wait<Answer>(promise: Promise<Answer>, limitMs?: number): Promise<Answer> {
    let isDone = false;
    const done = promise.finally(() => (isDone = true));
    done.catch(() => undefined); // told below
    await this.until(() => isDone, limitMs);
    return done;
  }

  async #quiet(): Promise<void> {
    for (let turns = 0; turns < 3; turns += 1) {
      await new Promise((resolve) => void setImmediate(resolve));
      if (this.#atWork > 0) turns = -1;
    }
  }

  /** A host's store on this disk. */
  store(onRetired: () => void = () => undefined): FailoverStore {
    return new FailoverStore({
      open: () => this.#open(),
      clock: { now: () => this.time.now },
      timers: { after: (delayMs, callback) => this.time.after(delayMs, callback) },
      onFailover: () => undefined,
      onRetired,
    });
  }

  /** The disk as another host sees it, whatever befalls this one. */
  async direct(): Promise<IndexedDbTrackerStore> {
    const store = new IndexedDbTrackerStore(this.#namespace, "relaxed");
    this.#connections.push(store);
    await store.open();
    return store;
  }

  heal(): void {
    this.onOpen = () => undefined;
    this.onCall = () => undefined;
  }

  /** Lets happen what was late. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  close(): void {
    for (const connection of this.#connections.splice(0)) connection.close();
  }

  async #open(): Promise<DiskStore> {
    this.opens += 1;
    const fault = this.onOpen();
    if (fault === "hang") return never();
    if (fault === "late") await new Promise<void>((resolve) => void this.#held.push(resolve));
    else if (fault) throw fault;
    const real = await this.#working(() => this.direct());
    const call = <Answer>(work: () => Promise<Answer>): Promise<Answer> => this.#call(work);
    return {
      kind: "disk",
      commit: <Result>(
        readSet: ReadSet,
        decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
      ) =>
        call(() =>
          real.commit(readSet, (snapshot) => {
            const decision = decide(snapshot);
            if (this.#isUndoing) throw domError("AbortError");
            this.onDecided();
            return decision;
          }),
        ),
      read: () => call(() => real.read()),
      readWaiting: (profiles, limit) => call(() => real.readWaiting(profiles, limit)),
      countWaiting: (profile, before) => call(() => real.countWaiting(profile, before)),
      inspect: (query) => call(() => real.inspect(query)),
      readDefinitions: () => call(() => real.readDefinitions()),
      writeDefinitions: (definitions) => call(() => real.writeDefinitions(definitions)),
      forgetPages: (before) => call(() => real.forgetPages(before)),
      close: () => real.close(),
    };
  }

  async #working<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    this.#atWork += 1;
    try {
      return await work();
    } finally {
      this.#atWork -= 1;
    }
  }

  async #call<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const fault = this.onCall();
    if (fault === undefined) return this.#working(work);
    if (fault === "hang") return never();
    if (fault === "late") {
      await new Promise<void>((resolve) => void this.#held.push(resolve));
      return this.#working(work);
    }
    if (fault instanceof Error) throw fault;
    if (fault === "undone") {
      this.#isUndoing = true;
      await this.#working(work).catch(() => undefined); // undone
      this.#isUndoing = false;
      return never();
    }
    await this.#working(work);
    if (fault === "lost") throw domError("UnknownError", "Connection to Indexed Database server lost");
    return never();
  }
}

/** One fault, then none. */
export const once = (fault: Fault): (() => Fault | undefined) => {
  const faults: (Fault | undefined)[] = [fault];
  return () => faults.shift();
};
