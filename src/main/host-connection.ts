/**
 * The tie to one host at a time. Whatever is asked stays asked until it is answered or its time is up: a host that fell
 * silent, or whose script ran again on the same port (WebKit does that), is attached to anew and asked again, in the
 * same order. So what is asked must do no harm twice; commands have numbers for that.
 */
import type { HostKind, TrackerState, TrackingError } from "../protocol/api.js";
import type { Host, InitAnswer, InitRequest } from "../protocol/host.js";
import { SECOND } from "../protocol/wire.js";
import { after } from "./after.js";
import type { CallHost } from "./host-at.js";
import { hostAt } from "./host-at.js";
import { randomId } from "./names.js";
import { openHost } from "./open-host.js";
import type { OpenHost } from "./open-host.js";
import { describe, fail } from "./outcome.js";
import type { Settings } from "./tracking-options.js";

/** A host that says nothing for this long, to anything that it was asked, is taken for dead. */
const PATIENCE_MS = 3 * SECOND;
/** It may itself wait 2 s for the service before it answers what `init()` asks. */
const INIT_PATIENCE_MS = 5 * SECOND;

interface Ask {
  send(call: CallHost): void;
  settle(answer?: undefined): void;
  limitAt: number;
  patienceMs: number;
  /** When it was sent to the present host; never, where there is none. */
  sentAt: number;
}

const NEVER = Infinity;

export class HostConnection {
  /** With its number, an operation's id. */
  readonly pageId = randomId();
  readonly #settings: Settings;
  readonly #onState: (state: TrackerState, generation: number) => void;
  /** In the order in which they were asked. */
  readonly #asks = new Set<Ask>();
  #open: OpenHost | undefined;
  /** Set while attached. */
  #call: CallHost | undefined;
  #attach: (() => void) | undefined;
  /** Goes with each attachment until a host has answered it. */
  #init: { request: InitRequest; resolve: (answer: InitAnswer) => void } | undefined;
  /** `init()` has been asked: from then on a host that opens is attached to at once. */
  #isReady = false;
  #connecting: Promise<TrackingError | undefined> | undefined;
  /** Counts the hosts left behind. In the name, so that a wedged worker is not met again. */
  #left = 0;
  #answeredAt = 0;
  /**
   * One timer for all that is asked, left to run when the answer comes: to set and to clear one for each costs a page more
   * than all else in a call that comes alone.
   */
  #stopWatching: (() => void) | undefined;
  #watchesUntil = NEVER;
  /** Changes with every attachment: what an instance says to which this page is not attached does not count. */
  #epoch = 0;
  #closed = false;

  constructor(settings: Settings, onState: (state: TrackerState, generation: number) => void) {
    this.#settings = settings;
    this.#onState = onState;
  }

  /** There is a host that may yet do what it was asked. */
  get hasLeft(): boolean {
    return this.#left > 0;
  }

  /**
   * Opens a host, so that its script can load.
   *
   * @returns why there is none to be had, once it is attached to
   */
  async connect(): Promise<TrackingError | undefined> {
    // An open host is attached or about to be, unless it is the one being tried.
    if (this.#closed || (this.#open && !this.#connecting)) return undefined;
    return (this.#connecting ??= this.#climb().finally(() => (this.#connecting = undefined)));
  }

  /** Attaches, and asks with the same message. */
  init(request: InitRequest): Promise<InitAnswer> {
    this.#isReady = true;
    return new Promise((resolve) => {
      this.#init = { request, resolve };
      this.#attach?.();
      void this.connect().then((error) => error && resolve({ ok: false, error }));
    });
  }

  /**
   * @param limitMs the answer is `undefined` after this long
   * @param patienceMs for what a healthy host may take longer over
   */
  ask<Method extends keyof Host>(
    method: Method,
    args: Parameters<Host[Method]>,
    limitMs = NEVER,
    patienceMs = PATIENCE_MS,
  ): Promise<Awaited<ReturnType<Host[Method]>> | undefined> {
    return new Promise((resolve) => {
      const ask = {
        send: (call: CallHost) => {
          const epoch = this.#epoch;
          ask.sentAt = performance.now();
          this.#watch(ask);
          call(method, args, (answer) => {
            if (epoch !== this.#epoch) return;
            this.#answeredAt = performance.now();
            ask.settle(answer);
          });
        },
        settle: (answer?: Awaited<ReturnType<Host[Method]>>) => {
          this.#asks.delete(ask);
          this.#hangUpIfDone();
          resolve(answer);
        },
        limitAt: performance.now() + limitMs,
        patienceMs,
        sentAt: NEVER,
      };
      this.#asks.add(ask);
      if (this.#call) ask.send(this.#call);
      else {
        this.#watch(ask);
        void this.connect();
      }
    });
  }

  #watch({ limitAt, sentAt, patienceMs }: Ask): void {
    const due = Math.min(limitAt, sentAt + patienceMs);
    if (due >= this.#watchesUntil) return;
    this.#stopWatching?.();
    this.#watchesUntil = due;
    this.#stopWatching = after(Math.ceil(due - performance.now()), () => this.#look());
  }

  #look(): void {
    this.#watchesUntil = NEVER;
    const now = performance.now();
    let isSilent = false;
    for (const ask of this.#asks) {
      if (now >= ask.limitAt) ask.settle();
      // Busy is not dead: answers to what was asked before count.
      else if (now >= ask.sentAt + ask.patienceMs) {
        if (this.#answeredAt > ask.sentAt) ask.sentAt = now;
        else isSilent = true;
      }
    }
    if (isSilent) this.#leave();
    for (const ask of this.#asks) this.#watch(ask);
  }

  /** The host says nothing more, not even what it was asked: the page goes, perhaps into the back-forward cache. */
  detach(): void {
    this.#call?.("detach", [], () => {});
  }

  /** Comes back from `detach()`. */
  reattach(): void {
    this.#attach?.();
  }

  /** Hangs up when nothing is asked any more. */
  close(): void {
    this.#closed = true;
    this.#hangUpIfDone();
  }

  #hangUpIfDone(): void {
    if (!this.#closed || (this.#call && this.#asks.size)) return;
    this.detach();
    this.#hangUp();
    if (!this.#asks.size) this.#stopWatching?.();
  }

  #pause(): void {
    this.#call = undefined;
    this.#epoch++;
    for (const ask of this.#asks) ask.sentAt = NEVER;
  }

  #hangUp(): void {
    this.#pause();
    this.#open?.close();
    this.#open = this.#attach = undefined;
  }

  #leave(): void {
    this.#hangUp();
    this.#left++;
    void this.connect();
  }

  async #climb(): Promise<TrackingError | undefined> {
    let error: TrackingError | undefined;
    for (const kind of this.#settings.hosts) {
      if (this.#closed) break;
      error = await this.#try(kind);
      if (!error) return undefined;
    }
    if (this.#asks.size) setTimeout(() => void this.connect(), SECOND);
    return error;
  }

  /** @returns why this kind of host cannot be used here */
  #try(kind: HostKind): Promise<TrackingError | undefined> {
    return new Promise((resolve) => {
      const { hello, workerUrl } = this.#settings;
      let instance: string | undefined;
      let attached = false;

      const giveUp = (why: string | TrackingError): void => {
        stopWaiting();
        if (attached) return this.#leave();
        this.#hangUp();
        resolve(typeof why === "string" ? fail(2101, `${kind} host: ${why}`).error : why);
      };
      let stopWaiting = after(PATIENCE_MS, () => giveUp("it said nothing"));
      const awaitAnswer = (): void => {
        stopWaiting();
        if (!this.#isReady) return;
        stopWaiting = after(this.#init ? INIT_PATIENCE_MS : PATIENCE_MS, () => giveUp("it did not answer"));
      };

      try {
        const name = [this.#settings.name, `v${hello.protocol}`, this.#left].join(":");
        const open = (this.#open = openHost(kind, name, workerUrl, (why) => instance || giveUp(why)));
        const call = hostAt(open.endpoint, (message) => {
          if (this.#open !== open) return;
          if (message.peopleTracking === "state") {
            this.#onState(message.state, message.generation);
          } else if (message.instance !== instance) {
            const isAnother = instance;
            instance = message.instance;
            if (isAnother) attach();
            // The first one has what was posted as it was opened.
            else awaitAnswer();
          }
        });

        const attach = (this.#attach = (): void => {
          if (instance) awaitAnswer();
          this.#pause();
          const epoch = this.#epoch;
          const page = { ...hello, host: kind, online: navigator.onLine };
          call("attach", [page, this.#init?.request], (answer) => {
            if (epoch !== this.#epoch) return;
            stopWaiting();
            if (!answer.ok) return giveUp(answer.error);
            attached = true;
            this.#call = call;
            this.#onState(answer.state, answer.generation);
            if (answer.init) this.#init?.resolve(answer.init);
            this.#init = undefined;
            for (const ask of this.#asks) ask.send(call);
            resolve(undefined);
          });
        });
        if (this.#isReady) attach();
      } catch (thrown) {
        giveUp(describe(thrown));
      }
    });
  }
}
