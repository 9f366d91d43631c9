/**
 * The tie to one host at a time. Whatever is asked stays asked until it is answered or its time is up: a host that fell
 * silent, or whose script ran again on the same port (WebKit does that), is attached to anew and asked again, in the
 * same order. So what is asked must do no harm twice; commands have numbers for that.
 */
import { wrap } from "comlink";
import type { HostKind, TrackerState, TrackingError } from "../protocol/api.js";
import { trackingError } from "../protocol/errors.js";
import { PROTOCOL_VERSION } from "../protocol/host.js";
import type { Host, HostMessage, PageHello } from "../protocol/host.js";
import { SECOND } from "../protocol/wire.js";
import { after, within } from "./after.js";
import { openHost } from "./open-host.js";
import type { OpenHost } from "./open-host.js";
import { describe } from "./outcome.js";
import type { Settings } from "./tracking-options.js";

/** A host that says nothing for this long, to anything that it was asked, is taken for dead. */
const PATIENCE_MS = 3 * SECOND;
const REOPEN_MS = SECOND;

export interface AskLimits {
  /** The answer is `undefined` after this long. */
  limitMs?: number;
  /** For what a healthy host may take longer over. */
  patienceMs?: number;
}

interface Ask {
  send(host: Host): void;
  patienceMs: number;
  stopWaiting?: () => void;
}

export class HostConnection {
  readonly #settings: Settings;
  readonly #pageId: string;
  readonly #onState: (state: TrackerState, generation: number) => void;
  /** In the order in which they were asked. */
  readonly #asks = new Set<Ask>();
  #open: OpenHost | undefined;
  /** Set while attached. */
  #host: Host | undefined;
  #attach: (() => void) | undefined;
  #connecting: Promise<TrackingError | undefined> | undefined;
  /** Counts the hosts left behind. In the name, so that a wedged worker is not met again. */
  #left = 0;
  #answeredAt = 0;
  /** Changes with every attachment: what an instance says to which this page is not attached does not count. */
  #epoch = 0;
  #closed = false;

  constructor(
    settings: Settings,
    pageId: string,
    onState: (state: TrackerState, generation: number) => void,
  ) {
    this.#settings = settings;
    this.#pageId = pageId;
    this.#onState = onState;
  }

  /** @returns why there is no host to be had */
  async connect(): Promise<TrackingError | undefined> {
    // An open host is attached or about to be, unless it is the one being tried.
    if (this.#open && !this.#connecting) return undefined;
    return (this.#connecting ??= this.#climb().finally(() => (this.#connecting = undefined)));
  }

  /** @param call answers `undefined` once there is nothing left to ask */
  ask<Answer>(
    call: (host: Host) => Promise<Answer> | undefined,
    { limitMs, patienceMs = PATIENCE_MS }: AskLimits = {},
  ): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const settle = (answer?: Answer): void => {
        stopLimit?.();
        this.#forget(ask);
        resolve(answer);
      };
      const ask: Ask = {
        patienceMs,
        send: (host) => {
          const epoch = this.#epoch;
          const answer = call(host);
          if (!answer) return settle();
          answer.then(
            (value) => {
              if (epoch !== this.#epoch) return;
              this.#answeredAt = performance.now();
              settle(value);
            },
            () => {}, // no expected answer: as good as none, and asked again
          );
          this.#await(ask);
        },
      };
      const stopLimit = limitMs === undefined ? undefined : after(limitMs, settle);
      this.#asks.add(ask);
      if (this.#host) ask.send(this.#host);
      else void this.connect();
    });
  }

  /** Lets the host forget this page for now: it goes, perhaps into the back-forward cache. */
  detach(): void {
    void this.#host?.detach(this.#pageId);
  }

  /** Comes back from `detach()`. */
  reattach(): void {
    this.#attach?.();
  }

  /** Says goodbye at once, and hangs up when nothing is asked any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.detach();
    if (!this.#asks.size) this.#hangUp();
  }

  #forget(ask: Ask): void {
    ask.stopWaiting?.();
    this.#asks.delete(ask);
    if (this.#closed && !this.#asks.size) this.#hangUp();
  }

  #await(ask: Ask): void {
    ask.stopWaiting?.();
    const sentAt = performance.now();
    ask.stopWaiting = after(ask.patienceMs, () => {
      // Busy is not dead: answers to what was asked before count.
      if (this.#answeredAt > sentAt) this.#await(ask);
      else this.#leave();
    });
  }

  #pause(): void {
    this.#host = undefined;
    this.#epoch++;
    for (const ask of this.#asks) ask.stopWaiting?.();
  }

  #hangUp(): void {
    this.#pause();
    this.#attach = undefined;
    this.#open?.close();
    this.#open = undefined;
  }

  #leave(): void {
    this.#hangUp();
    this.#left++;
    void this.connect();
  }

  async #climb(): Promise<TrackingError | undefined> {
    let error: TrackingError | undefined;
    for (const kind of this.#settings.hosts) {
      error = await this.#try(kind);
      if (!error || (this.#closed && !this.#asks.size)) return error;
    }
    if (this.#asks.size) setTimeout(() => void this.connect(), REOPEN_MS);
    return error;
  }

  /** @returns why this kind of host cannot be used here */
  #try(kind: HostKind): Promise<TrackingError | undefined> {
    return new Promise((resolve) => {
      let instance: string | undefined;
      let attached = false;
      /** Only the last of several attempts counts: an earlier one was made to an instance that is gone. */
      let attempts = 0;

      const fail = (why: string | TrackingError): void => {
        stopWaiting();
        if (attached) return this.#leave();
        this.#hangUp();
        resolve(typeof why === "string" ? trackingError(2101, "fe-snippet", `${kind} host: ${why}`) : why);
      };
      const stopWaiting = after(PATIENCE_MS, () => fail("it said nothing in 3 s"));

      const attach = async (open: OpenHost, host: Host): Promise<void> => {
        const attempt = ++attempts;
        stopWaiting();
        this.#pause();
        const answer = await within(PATIENCE_MS, host.attach(this.#hello(kind)));
        if (this.#open !== open || attempt !== attempts) return;
        if (!answer?.ok) return fail(answer?.error ?? "it did not answer in 3 s");
        attached = true;
        this.#host = host;
        this.#onState(answer.state, answer.generation);
        for (const ask of [...this.#asks]) ask.send(host);
        resolve(undefined);
      };

      try {
        const { namespace, identity, workerUrl } = this.#settings;
        const name = ["people-tracking", namespace, `v${PROTOCOL_VERSION}`, this.#left, identity].join(":");
        const open = openHost(kind, name, workerUrl, (why) => instance || fail(why));
        // Kept as long as the port: a collected proxy would release the host.
        const host = wrap(open.endpoint) as unknown as Host;
        this.#open = open;
        this.#attach = () => void attach(open, host);
        open.endpoint.addEventListener("message", (event) => {
          const message = (event as MessageEvent<HostMessage | null>).data;
          if (this.#open !== open || !message) return;
          if (message.peopleTracking === "state") {
            this.#onState(message.state, message.generation);
          } else if (message.peopleTracking === "hello" && message.instance !== instance) {
            instance = message.instance;
            void attach(open, host);
          }
        });
        open.endpoint.start?.();
      } catch (thrown) {
        fail(describe(thrown));
      }
    });
  }

  #hello(host: HostKind): PageHello {
    const { namespace, endpoint, apiKey, durability, globalPrivacyControl } = this.#settings;
    return {
      protocol: PROTOCOL_VERSION,
      namespace,
      pageId: this.#pageId,
      endpoint,
      apiKey,
      durability,
      host,
      online: navigator.onLine,
      globalPrivacyControl,
    };
  }
}
