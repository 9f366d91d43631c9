/**
 * A browser in small: any number of hosts on one store, one lock, one change signal, one service, under a scheduler
 * that owns time and order. Hosts can be closed, killed or frozen at any moment.
 */
import type { LiveChatSession, OutboxRow } from "../../src/protocol/api.js";
import type { Command, CommandAnswer, HostState, InitAnswer, LoadView } from "../../src/protocol/host.js";
import { SESSION_TIMEOUT_MS } from "../../src/protocol/wire.js";
import { MemoryTrackerStore } from "../../src/core/failover/memory-tracker-store.js";
import type { ChangeSignal, Ports } from "../../src/core/ports.js";
import { isLeased } from "../../src/core/delivery/lease.js";
import { stateOf } from "../../src/core/state.js";
import { Tracker } from "../../src/core/tracker.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import type { HostIdentity } from "./host-ports.js";
import { HostLock, HostStore, HostTransport } from "./host-ports.js";
import { PeopleService } from "./people-service.js";
import type { Random } from "./random.js";
import { integerBelow, seededRandom } from "./random.js";
import { VirtualTime } from "./virtual-time.js";

export interface WorldOptions {
  seed?: number;
  /** Web Locks; without them the lease alone keeps the order. */
  locks?: boolean;
  /** Each turn of the store takes up to this long. */
  storeDelayMs?: number;
  /** Each way of the network takes up to this long. */
  networkDelayMs?: number;
}

export class World {
  readonly random: Random;
  readonly time: VirtualTime;
  readonly store = new MemoryTrackerStore();
  readonly service: PeopleService;
  readonly options: Required<WorldOptions>;
  /** Every row that was ever accepted, by id. */
  readonly accepted = new Map<string, OutboxRow>();
  /** What the wall clock shows beside the true time. */
  clockOffsetMs = 0;
  /** Fails the store's turns while it is set. */
  storageFails = false;
  commits = 0;
  reads = 0;
  lockHolder: { host: HostIdentity; hold: object } | null = null;
  readonly hosts: TestHost[] = [];
  #uuids = 0;

  constructor(options: WorldOptions = {}) {
    this.options = { seed: 1, locks: true, storeDelayMs: 0, networkDelayMs: 0, ...options };
    this.random = seededRandom(this.options.seed);
    this.time = new VirtualTime(this.random);
    this.service = new PeopleService(this.time);
  }

  now(): number {
    return this.time.now + this.clockOffsetMs;
  }

  uuid(): string {
    return `00000000-0000-4000-8000-${(++this.#uuids).toString(16).padStart(12, "0")}`;
  }

  upTo(limitMs: number): number {
    return integerBelow(this.random, limitMs + 1);
  }

  /** A host that a page has attached to, so that it has started and knows the service. */
  async host({ apiKey = "key" } = {}): Promise<TestHost> {
    const host = new TestHost(this, `host-${this.hosts.length + 1}`, apiKey);
    this.hosts.push(host);
    await this.time.wait(host.tracker.attach(host.hello));
    return host;
  }

  /** A host whose visitor is registered, whose outbox is empty, and a service that remembers nothing of it. */
  static async withHost(
    options?: WorldOptions,
  ): Promise<{ world: World; host: TestHost; service: PeopleService }> {
    const world = new World(options);
    const host = await world.host();
    await host.init();
    await host.track();
    await world.drained();
    world.service.requests.length = 0;
    return { world, host, service: world.service };
  }

  /** Runs until nothing waits and nobody sends. */
  drained(limitMs?: number): Promise<void> {
    return this.time.until(async () => {
      const record = await this.record();
      return !isLeased(record, this.now()) && record.lanes.every(({ waiting }) => waiting === 0);
    }, limitMs);
  }

  record(): Promise<TrackerRecord> {
    return this.store.read();
  }

  waiting(): Promise<OutboxRow[]> {
    return this.store.inspect({ state: "waiting", after: 0, limit: 1_000_000 });
  }

  rejected(): Promise<OutboxRow[]> {
    return this.store.inspect({ state: "rejected", after: 0, limit: 1_000_000 });
  }
}

/** A host of this world, with what a page would send to it. */
export class TestHost implements HostIdentity {
  readonly world: World;
  readonly id: string;
  readonly tracker: Tracker;
  /** A page's first message to it. */
  readonly hello: Parameters<Tracker["attach"]>[0];
  readonly transport: HostTransport;
  readonly listeners = new Set<() => void>();
  /** Dead or frozen: nothing of it goes on. */
  isGone = false;
  readonly #numbers = new Map<string, number>();

  constructor(world: World, id: string, apiKey: string) {
    this.world = world;
    this.id = id;
    this.hello = {
      endpoint: "https://people.test",
      apiKey,
      globalPrivacyControl: false,
    };
    this.transport = new HostTransport(this, world);
    const ports: Ports = {
      clock: { now: () => world.now() },
      timers: { after: (delayMs, callback) => world.time.after(delayMs, () => this.isGone || callback()) },
      ids: { uuid: () => world.uuid(), sessionId: () => world.uuid().slice(-12) },
      random: () => world.random(),
      store: new HostStore(this, world),
      transport: this.transport,
      lock: new HostLock(this, world),
      changes: this.#changes(),
    };
    this.tracker = new Tracker(ports, id, () => undefined);
  }

  /** Nothing of it ever goes on; the browser gives its lock back. */
  die(): void {
    this.freeze();
    if (this.world.lockHolder?.host === this) this.world.lockHolder = null;
  }

  /** Nothing of it goes on, and it keeps what it holds. */
  freeze(): void {
    this.isGone = true;
    this.listeners.clear();
  }

  /** What tabs are shown, without taking a turn of the store. */
  async state(): Promise<HostState> {
    const { world, tracker } = this;
    return stateOf(await world.record(), { storage: "disk", online: tracker.online }, world.now());
  }

  init(liveChat?: LiveChatSession | null, view?: LoadView): Promise<InitAnswer> {
    return this.world.time.wait(this.beginInit(liveChat, view));
  }

  /** Without waiting. */
  async beginInit(liveChat?: LiveChatSession | null, view?: LoadView): Promise<InitAnswer> {
    if (liveChat) this.world.service.liveChat.start(liveChat);
    const { init } = await this.tracker.attach(this.hello, { at: this.world.now(), liveChat, view });
    return init!;
  }

  /** Custom events of a page, submitted together; without waiting. */
  submitEvents(count: number, pageId = `${this.id}-page`, properties = {}): Promise<CommandAnswer[]> {
    const commands = Array.from({ length: count }, () => this.event(pageId, properties));
    return this.tracker.submit(pageId, commands);
  }

  track(count = 1, pageId?: string): Promise<CommandAnswer[]> {
    return this.world.time.wait(this.submitEvents(count, pageId));
  }

  event(pageId: string, extra: Partial<Extract<Command, { type: "pageView" }>> = {}): Command {
    return {
      type: "pageView",
      n: this.#nextNumber(pageId),
      at: this.world.now(),
      generation: 0,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      maxWaiting: 100_000,
      ...extra,
    };
  }

  custom(pageId: string, eventId: string, properties?: Record<string, string | number>): Command {
    const { n, at } = this.event(pageId);
    return {
      type: "track",
      n,
      at,
      generation: 0,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      maxWaiting: 100_000,
      eventId,
      ...(properties && { properties }),
    };
  }

  liveChat(
    session: LiveChatSession | null,
    left?: string,
    pageId = `${this.id}-page`,
  ): Promise<CommandAnswer[]> {
    if (session) this.world.service.liveChat.start(session);
    const { n, at } = this.event(pageId);
    const command: Command = {
      type: "liveChat",
      n,
      at,
      generation: 0,
      session,
      ...(left !== undefined && { left }),
    };
    return this.tracker.submit(pageId, [command]);
  }

  #nextNumber(pageId: string): number {
    const n = (this.#numbers.get(pageId) ?? 0) + 1;
    this.#numbers.set(pageId, n);
    return n;
  }

  #changes(): ChangeSignal {
    const { world, listeners } = this;
    return {
      announce: () => {
        for (const other of world.hosts) {
          if (other === this) continue;
          for (const listener of other.listeners) world.time.after(0, () => other.isGone || listener());
        }
      },
      listen: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
  }
}
