/** A test host's ports: its way to the shared store, to the service and to the lock, as long as it lives. */
import type { OutboxRow } from "../../src/protocol/api.js";
import { SECOND } from "../../src/protocol/wire.js";
import type {
  Hold,
  ReadSet,
  SendLock,
  Snapshot,
  TrackerStore,
  Transport,
  WireAnswer,
  WireRequest,
  WriteSet,
} from "../../src/core/ports.js";
import type { PeopleService } from "./people-service.js";
import { halfOf } from "./service-requests.js";
import type { VirtualTime } from "./virtual-time.js";

export interface HostIdentity {
  readonly id: string;
  /** Dead or frozen: nothing of it goes on. */
  readonly isGone: boolean;
}

/** What the hosts of one world share. */
export interface HostSurroundings {
  readonly time: VirtualTime;
  readonly store: TrackerStore;
  readonly service: PeopleService;
  readonly options: {
    readonly locks: boolean;
    readonly storeDelayMs: number;
    readonly networkDelayMs: number;
  };
  /** Every row that was ever accepted, by id. */
  readonly accepted: Map<string, OutboxRow>;
  /** Fails the store's turns while it is set. */
  readonly storageFails: boolean;
  commits: number;
  reads: number;
  lockHolder: { host: HostIdentity; hold: object } | null;
  upTo(limitMs: number): number;
}

/** A promise that nobody will ever settle: what a dead host waits for. */
const never = <Nothing>(): Promise<Nothing> => new Promise<Nothing>(() => undefined);

/** One host's way to the shared store: every call takes its turn, and a dead host's calls are never answered. */
export class HostStore implements TrackerStore {
  readonly kind = "disk";
  readonly #host: HostIdentity;
  readonly #world: HostSurroundings;

  constructor(host: HostIdentity, world: HostSurroundings) {
    this.#host = host;
    this.#world = world;
  }

  commit<Result>(
    readSet: ReadSet,
    decide: (snapshot: Snapshot) => { change: WriteSet; result: Result },
  ): Promise<Result> {
    const world = this.#world;
    return this.#turn("commits", () =>
      world.store.commit(readSet, (snapshot) => {
        const decision = decide(snapshot);
        for (const row of decision.change.put ?? []) {
          if (row.state === "waiting" && !world.accepted.has(row.id)) world.accepted.set(row.id, row);
        }
        return decision;
      }),
    );
  }

  read = () => this.#turn("reads", () => this.#shared.read());
  readWaiting: TrackerStore["readWaiting"] = (profiles, limit, after) =>
    this.#turn("reads", () => this.#shared.readWaiting(profiles, limit, after));
  countWaiting: TrackerStore["countWaiting"] = (profile, before) =>
    this.#turn("reads", () => this.#shared.countWaiting(profile, before));
  inspect: TrackerStore["inspect"] = (query) => this.#turn("reads", () => this.#shared.inspect(query));
  readDefinitions = () => this.#turn("reads", () => this.#shared.readDefinitions());
  writeDefinitions: TrackerStore["writeDefinitions"] = (definitions) =>
    this.#turn("commits", () => this.#shared.writeDefinitions(definitions));
  forgetPages: TrackerStore["forgetPages"] = (before) =>
    this.#turn("commits", () => this.#shared.forgetPages(before));

  get #shared(): TrackerStore {
    return this.#world.store;
  }

  async #turn<Result>(kind: "commits" | "reads", work: () => Promise<Result>): Promise<Result> {
    const world = this.#world;
    world[kind] += 1;
    await world.time.turn(world.upTo(world.options.storeDelayMs));
    if (this.#host.isGone) return never();
    if (world.storageFails) throw new Error("the disk is full");
    const result = await work();
    // A host may die between a commit and hearing of it.
    await world.time.turn();
    return this.#host.isGone ? never() : result;
  }
}

const ANSWER_TIMEOUT_MS = 30 * SECOND;
/** The real transport compresses whatever that makes smaller. */
const COMPRESS_FROM_CHARACTERS = 2_048;

export class HostTransport implements Transport {
  readonly #host: HostIdentity;
  readonly #world: HostSurroundings;
  readonly #underWay = new Set<(answer: WireAnswer) => void>();

  constructor(host: HostIdentity, world: HostSurroundings) {
    this.#host = host;
    this.#world = world;
  }

  get isBusy(): boolean {
    return this.#underWay.size > 0;
  }

  send(request: WireRequest): Promise<WireAnswer> {
    const host = this.#host;
    const { service, time, options } = this.#world;
    const delay = () => this.#world.upTo(options.networkDelayMs);
    const compressed =
      request.mayCompress === true && (request.body?.length ?? 0) >= COMPRESS_FROM_CHARACTERS;
    return new Promise((resolve) => {
      const finish = (answer: WireAnswer): void => {
        if (!this.#underWay.delete(finish)) return;
        giveUp();
        if (!host.isGone) resolve({ ...answer, ...(compressed && answer.status > 0 && { compressed }) });
      };
      this.#underWay.add(finish);
      const giveUp = time.after(ANSWER_TIMEOUT_MS, () => finish({ status: 0 }));
      time.after(delay(), () => {
        const fault = service.receive(host.id, request, compressed);
        if (fault?.kind === "answer") return time.after(delay(), () => finish(fault.answer));
        if (fault?.kind === "unreachable") return time.after(delay(), () => finish({ status: 0 }));
        const answer = service.answer(request);
        if (fault?.kind === "silent") return;
        if (fault?.kind === "lost") return time.after(delay(), () => finish({ status: 0 }));
        const told = fault?.kind === "half" ? halfOf(answer, fault.named) : answer;
        time.after(delay() + (fault?.kind === "slow" ? fault.delayMs : 0), () => finish(told));
      });
    });
  }

  abortAll(): void {
    for (const finish of this.#underWay) finish({ status: 0, cutOff: true });
  }
}

export class HostLock implements SendLock {
  readonly #host: HostIdentity;
  readonly #world: HostSurroundings;
  readonly exclusive: boolean;

  constructor(host: HostIdentity, world: HostSurroundings) {
    this.#host = host;
    this.#world = world;
    this.exclusive = world.options.locks;
  }

  async tryHold(options?: { steal: boolean }): Promise<Hold | null> {
    const world = this.#world;
    if (!this.exclusive) return { release: () => undefined };
    await world.time.turn();
    if (this.#host.isGone) return never();
    if (world.lockHolder && !options?.steal) return null;
    const hold = {};
    world.lockHolder = { host: this.#host, hold };
    return {
      release: () => {
        if (world.lockHolder?.hold === hold) world.lockHolder = null;
      },
    };
  }
}
