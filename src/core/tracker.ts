/**
 * The core: what a host runs, whatever kind of host it is. Everything that must hold is decided in the store's
 * transactions, so that any number of these can run on one store at once.
 */
import type { OutboxRow } from "../protocol/api.js";
import type { AttachAnswer, Command, CommandAnswer, InitAnswer, PageSignal } from "../protocol/host.js";
import { HOUR, SECOND, VISITOR_LIFETIME_MS } from "../protocol/wire.js";
import { commandError } from "./commands/accept.js";
import { erased } from "./commands/erase.js";
import { GroupCommit } from "./commands/group-commit.js";
import type { Hello } from "./commands/init.js";
import { connected, initialize, readSetOfInit, viewGroupOf } from "./commands/init.js";
import type { TimedInit } from "./commands/page-clock.js";
import { definitionsOver } from "./definitions/definitions-request.js";
import { Definitions } from "./definitions/definitions.js";
import { withoutBackOff } from "./delivery/back-off.js";
import { withHalfOpenBreakers } from "./delivery/circuit-breaker.js";
import type { DeliveryPorts } from "./delivery/delivery.js";
import { Delivery } from "./delivery/delivery.js";
import { withAllDue } from "./delivery/due.js";
import { withEarlyAttempt, withFirstAttempt } from "./delivery/early-attempt.js";
import { Flushes } from "./delivery/flush.js";
import type { Plan } from "./delivery/plan.js";
import { planOf } from "./delivery/plan.js";
import { Registrar } from "./delivery/registrar.js";
import { discardRejected, requeueRejected } from "./delivery/rejected.js";
import { discardUnregistered, withUnregisteredHalfOpen } from "./delivery/unregistered.js";
import { trackingError } from "./errors.js";
import { LastKnownStore } from "./last-known.js";
import type { Ports, RowQuery } from "./ports.js";
import { endDueSession, unitOfWorkOn, writeSetOf } from "./record/unit-of-work.js";
import { stateOf } from "./state.js";
import type { TrackerRecord } from "./tracker-record.js";
import { isOptedOut } from "./tracker-record.js";
import { within } from "./within.js";

/** How long `init` waits for the registration of a new profile. */
const REGISTRATION_WAIT_MS = 2 * SECOND;

/** The session timer's longest delay: timers hold 32 bits, and machines sleep. */
const LONGEST_TIMER_MS = 1 * HOUR;

/** Ignores errors of the store: nothing has changed, and the next change, signal or timer tries again. */
const ignoreStoreErrors = (work: Promise<void>): void => void work.catch(() => undefined);

type Announcement = Parameters<Ports["changes"]["announce"]>[0];
type Attached = Omit<Extract<AttachAnswer, { ok: true }>, "ok">;

export class Tracker {
  readonly #ports: DeliveryPorts;
  readonly #onChange: () => void;
  readonly #registrar: Registrar;
  readonly #definitions: Definitions;
  readonly #delivery: Delivery;
  readonly #groupCommit: GroupCommit;
  readonly #flushes: Flushes;
  readonly #stopListening: () => void;
  #cancelSessionTimer: (() => void) | null = null;
  #hasBegun = false;
  #closed = false;
  #isFirstPage = true;
  #isInBackground = false;
  online = true;

  /** @param onChange Called when something that `state` shows has changed. */
  constructor(given: Ports, hostId: string, onChange: () => void) {
    const ports = { ...given, store: new LastKnownStore(given.store) };
    this.#ports = ports;
    this.#onChange = onChange;
    this.#registrar = new Registrar(ports, (version) => {
      // After what waits for the registration: the first page view of a new profile, for one.
      ports.timers.after(0, () => {
        if (version !== this.#definitions.version && !this.#closed) void this.#definitions.refresh();
      });
    });
    this.#definitions = new Definitions(ports, definitionsOver(ports, this.#registrar));
    this.#delivery = new Delivery(ports, this.#registrar, hostId, () => this.#deliveryChanged());
    this.#groupCommit = new GroupCommit(ports, this.#definitions, {
      isOnline: () => this.online,
      isInBackground: () => this.#isInBackground,
      claim: (record, now) => this.#delivery.claim(record, now),
    });
    this.#flushes = new Flushes(ports.store, ports.timers);
    this.#stopListening = ports.changes.listen(() => ignoreStoreErrors(this.#heardOfChange()));
  }

  /** Starts the tracker where no page attaches to it. */
  async start(): Promise<void> {
    await this.#begin(() => this.#change(withHalfOpenBreakers));
  }

  /** Attaches a page, with its `init()` if that was called. The service and the key of the last page are used. */
  attach(hello: Hello, request?: TimedInit): Promise<Attached> {
    return this.#begin((isFirst) => (request ? this.#init(hello, request) : this.#connect(hello, isFirst)));
  }

  /**
   * What is requested first starts the tracker. Its transaction is that of the start, for a page waits for it: the
   * definitions are read beside it, and the rest of the start comes after it.
   */
  async #begin<Result>(request: (isFirst: boolean) => Promise<Result>): Promise<Result> {
    if (this.#hasBegun) return request(false);
    this.#hasBegun = true;
    try {
      const loading = this.#definitions.load();
      const [result] = await Promise.all([request(true), loading]);
      ignoreStoreErrors(this.#endDueSession());
      // A journal that is older than a visitor's life is of nobody.
      ignoreStoreErrors(this.#ports.store.forgetPages(this.#ports.clock.now() - VISITOR_LIFETIME_MS));
      this.#delivery.wake();
      return result;
    } catch (error) {
      this.#hasBegun = false;
      throw error;
    }
  }

  async #connect(hello: Hello, isFirst: boolean): Promise<Attached> {
    const record = await this.#change((former, now) => {
      const attempted = this.#withFirstPage(former, now);
      return connected(isFirst ? withHalfOpenBreakers(attempted) : attempted, hello);
    });
    this.#isFirstPage = false;
    this.#delivery.wake();
    return this.#stateIn(record);
  }

  #withFirstPage(record: TrackerRecord, now: number): TrackerRecord {
    return this.#isFirstPage ? withFirstAttempt(record, now) : record;
  }

  /**
   * Selects the profile and records the page view. A profile that is new here is registered with the service first.
   */
  async #init(hello: Hello, request: TimedInit): Promise<Attached> {
    const { clock, ids, store } = this.#ports;
    const { view } = request;
    const { record, profile, isNew, answers } = await store.commit(readSetOfInit(request), (snapshot) => {
      const now = clock.now();
      const attempted = { ...snapshot, record: this.#withFirstPage(snapshot.record, now) };
      const { change, result } = initialize(attempted, hello, request, now, ids, !this.#isInBackground);
      const claimed = this.#delivery.claim(change.record, now);
      return { change: { ...change, record: claimed }, result: { ...result, record: claimed } };
    });
    this.#isFirstPage = false;
    this.#announce();
    this.#delivery.wake();
    const reread = request.liveChat === null && record.liveChat && { rereadLiveChat: record.liveChat.id };
    const told = ([answer]: CommandAnswer[]): InitAnswer => ({
      success: true,
      ...reread,
      ...(answer && { view: answer }),
    });
    if (!isNew) return { ...this.#stateIn(record), init: told(answers) };

    const asked = this.#registrar.ensure(record, profile);
    const registration = await within(this.#ports.timers, REGISTRATION_WAIT_MS, asked, null);
    const init: InitAnswer =
      registration?.kind === "refused" && registration.of !== "profile"
        ? { success: false, error: trackingError(2018, "people-service") }
        : told(view ? await this.submit(view.pageId, viewGroupOf(view, record, clock.now()).commands) : []);
    return { ...(await this.state()), init };
  }

  async submit(pageId: string, commands: readonly Command[]): Promise<CommandAnswer[]> {
    try {
      const answers = await this.#groupCommit.submit(pageId, commands);
      this.#announce();
      this.#delivery.wake();
      return answers;
    } catch (error) {
      const cause = `the browser's storage failed: ${error instanceof Error ? error.message : String(error)}`;
      return commands.map((command) => ({
        n: command.n,
        error: commandError(command, cause),
        undecided: true,
      }));
    }
  }

  async signal(signal: PageSignal): Promise<void> {
    if (signal === "online" || signal === "offline") this.online = signal === "online";
    if (signal === "online") await this.#change(withEarlyAttempt);
    await this.#endDueSession();
    this.#changed();
    this.#delivery.wake();
  }

  /**
   * Notes whether nobody sees a page of this host. Then it may be suspended or ended at any time, and nothing waits for
   * company: neither what was accepted before nor what will be.
   */
  async setInBackground(isInBackground: boolean): Promise<void> {
    if (this.#isInBackground === isInBackground) return;
    this.#isInBackground = isInBackground;
    if (!isInBackground) return;
    await this.#groupCommit.settled();
    if (!(await this.#ports.store.look()).delivery.due) return;
    await this.#change(withAllDue);
    this.#delivery.wake();
  }

  /** Skips back-off. Returns how many of the rows accepted before are neither acknowledged nor rejected. */
  async flush(timeoutMs: number): Promise<number> {
    await this.#groupCommit.settled();
    const record = await this.#change((former) => withAllDue(withoutBackOff(former)));
    if (isOptedOut(record)) return this.#flushes.count(record.nextSeq);
    this.#delivery.wake();
    return this.#flushes.settled(record.nextSeq, timeoutMs);
  }

  /** The plan of delivery: what it can do now, or when. */
  async plan(): Promise<Plan> {
    return planOf(await this.#ports.store.read(), this.#ports.clock.now());
  }

  async inspect(query: RowQuery): Promise<OutboxRow[]> {
    await this.#groupCommit.settled();
    return this.#ports.store.inspect(query);
  }

  async retryRejected(ids?: readonly string[]): Promise<number> {
    const count = await requeueRejected(this.#ports.store, ids);
    await this.#change(withUnregisteredHalfOpen);
    this.#announce();
    this.#delivery.wake();
    return count;
  }

  async discardRejected(ids?: readonly string[]): Promise<number> {
    const { store } = this.#ports;
    const count = (await discardRejected(store, ids)) + (await discardUnregistered(store, ids));
    this.#announce();
    // What waits behind the merge of a visitor that cannot be registered may go on.
    this.#delivery.wake();
    return count;
  }

  /** Keeps the user's choice. An opt-out ends pending requests; what waits stays. */
  async setConsent(consent: "in" | "out"): Promise<void> {
    await this.#groupCommit.settled();
    await this.#change((record) => ({ ...record, consent }), { atOnce: true });
    if (consent === "out") this.#ports.transport.abortAll();
    this.#delivery.wake();
  }

  /** Clears all but the choice to opt out and the retired Live Chat sessions; tracking goes on with a new visitor. */
  async erase(): Promise<void> {
    await this.#groupCommit.settled();
    const { clock, ids, store } = this.#ports;
    await store.commit({}, (snapshot) => ({
      change: erased(snapshot, clock.now(), ids),
      result: undefined,
    }));
    this.#definitions.forget();
    this.#ports.transport.abortAll();
    this.#announce({ atOnce: true });
  }

  /** Reads the state that every tab is shown, and the erase generation that commands carry. */
  async state(): Promise<Pick<Attached, "state" | "generation">> {
    return this.#stateIn(await this.#ports.store.look());
  }

  close(): void {
    this.#closed = true;
    this.#delivery.close();
    this.#stopListening();
    this.#cancelSessionTimer?.();
  }

  #stateIn(record: TrackerRecord): Pick<Attached, "state" | "generation"> {
    const { clock, store } = this.#ports;
    const facts = { storage: store.kind, online: this.online };
    return { state: stateOf(record, facts, clock.now()), generation: record.generation };
  }

  async #change(
    change: (record: TrackerRecord, now: number) => TrackerRecord,
    announcement?: Announcement,
  ): Promise<TrackerRecord> {
    const { clock, store } = this.#ports;
    const { record, isChanged } = await store.commit({}, (snapshot) => {
      const now = clock.now();
      const changed = change(snapshot.record, now);
      const isChanged = changed !== snapshot.record;
      const record = isChanged ? this.#delivery.claim(changed, now) : changed;
      return { change: isChanged ? { record } : {}, result: { record, isChanged } };
    });
    if (isChanged) this.#announce(announcement);
    return record;
  }

  #announce(announcement?: Announcement): void {
    this.#ports.changes.announce(announcement);
    this.#changed();
  }

  #changed(): void {
    this.#deliveryChanged();
    ignoreStoreErrors(this.#watchSession());
  }

  #deliveryChanged(): void {
    this.#flushes.look();
    this.#onChange();
  }

  async #heardOfChange(): Promise<void> {
    this.#ports.store.forget();
    const record = await this.#ports.store.read();
    this.#changed();
    if (isOptedOut(record)) this.#ports.transport.abortAll();
    this.#delivery.wake();
  }

  /** Sets a timer for the open session's end, which is checked again when it fires: activity moves the end. */
  async #watchSession(): Promise<void> {
    if (this.#cancelSessionTimer || this.#closed) return;
    const { clock, store, timers } = this.#ports;
    const { session } = await store.look();
    if (!session || this.#cancelSessionTimer || this.#closed) return;
    const delay = Math.min(LONGEST_TIMER_MS, Math.max(0, session.expiresAt - clock.now()));
    this.#cancelSessionTimer = timers.after(delay, () => {
      this.#cancelSessionTimer = null;
      ignoreStoreErrors(this.#endDueSession().then(() => this.#watchSession()));
    });
  }

  async #endDueSession(): Promise<void> {
    const { clock, store } = this.#ports;
    const ended = await store.commit({}, ({ record }) => {
      const work = unitOfWorkOn(record, clock.now());
      endDueSession(work);
      return work.put.length > 0 ? { change: writeSetOf(work), result: true } : { change: {}, result: false };
    });
    if (!ended) return;
    this.#announce();
    this.#delivery.wake();
  }
}
