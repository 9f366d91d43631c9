/** A host whose store may fail over and retire, on a disk that misbehaves on demand. */
import type { FailoverStore } from "../../src/core/failover/failover-store.js";
import type { WireAnswer } from "../../src/core/ports.js";
import { Tracker } from "../../src/core/tracker.js";
import type { FaultyDisk } from "./faulty-disk.js";

const CONNECTION = {
  endpoint: "https://people.test",
  apiKey: "key",
  globalPrivacyControl: false,
} as const;
/** As a worker: a tracker, and another one on the disk once its store has retired. */
export class Host {
  /** Out of reach, so that everything stays where it can be looked at. */
  answer: () => Promise<WireAnswer> = () => Promise.resolve({ status: 0 });
  retirements = 0;
  store!: FailoverStore;
  tracker!: Tracker;
  readonly #disk: FaultyDisk;
  readonly #id: string;
  #uuids = 0;

  constructor(disk: FaultyDisk, id: string) {
    this.#disk = disk;
    this.#id = id;
    this.#begin();
  }

  async start(): Promise<void> {
    await this.tracker.attach(CONNECTION);
  }

  /** Until another tracker works on the disk. */
  async retired(): Promise<void> {
    await this.#disk.until(() => this.retirements > 0);
    await this.#disk.wait(this.tracker.attach(CONNECTION));
    await this.#disk.until(() => this.store.kind === "disk");
  }

  #begin(): void {
    const disk = this.#disk;
    const nextId = (): string => `${this.#id}${++this.#uuids}`;
    this.store = disk.store(() => this.#retire());
    this.tracker = new Tracker(
      {
        clock: { now: () => disk.time.now },
        timers: { after: (delayMs, callback) => disk.time.after(delayMs, callback) },
        ids: { uuid: () => `${nextId()}-uuid`, sessionId: () => `${nextId()}session` },
        random: () => 0.5,
        store: this.store,
        transport: { send: () => this.answer(), abortAll: () => undefined },
        lock: { exclusive: false, tryHold: () => Promise.resolve({ release: () => undefined }) },
        changes: { announce: () => undefined, listen: () => () => undefined },
      },
      this.#id,
      () => undefined,
    );
  }

  #retire(): void {
    this.retirements += 1;
    this.tracker.close();
    this.#begin();
    void this.start();
  }
}
