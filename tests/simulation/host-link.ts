/** A tab's tie to one host at a time: what is asked stays asked until it is answered or its time is up. */
import type { TimedInit } from "../../src/core/commands/page-clock.js";
import { SECOND } from "../../src/protocol/wire.js";
import type { Tracker } from "../../src/core/tracker.js";
import type { Attachment, SimulatedHost } from "./host.js";
import type { Hosts, HostUser } from "./hosts.js";
import type { Origin } from "./origin.js";

/** A host that says nothing for this long is taken for dead. */
const PATIENCE_MS = 3 * SECOND;
const INIT_PATIENCE_MS = 5 * SECOND;
const MESSAGE_MS = 5;

interface Ask {
  send: (host: SimulatedHost) => void;
  stopWaiting: () => void;
}

export class HostLink {
  readonly #tab: HostUser;
  readonly #origin: Origin;
  readonly #hosts: Hosts;
  readonly #asks = new Set<Ask>();
  #host: SimulatedHost | null = null;
  #isAttached = false;
  /** Changes with every host: what one says to which this page is not attached does not count. */
  #epoch = 0;
  #answeredAt = 0;
  #stopAttaching: () => void = () => undefined;
  /** Goes with each attachment until it is answered. */
  #init: { request: TimedInit; onAnswer: (answer: Attachment) => void } | null = null;
  hostsAbandoned = 0;

  constructor(tab: HostUser, origin: Origin, hosts: Hosts) {
    this.#tab = tab;
    this.#origin = origin;
    this.#hosts = hosts;
  }

  get hasHost(): boolean {
    return this.#isAttached && this.#host?.isAlive === true;
  }

  /** @param limitMs After this long the answer is `undefined`. */
  init(request: TimedInit, onAnswer: (answer: Attachment | undefined) => void, limitMs: number): void {
    const settle = (answer?: Attachment): void => {
      stopLimit();
      this.#init = null;
      onAnswer(answer);
    };
    const stopLimit = this.#tab.after(limitMs, () => settle());
    this.#init = { request, onAnswer: settle };
    if (this.#host) this.#pause();
    this.#attach(this.#host ?? undefined);
  }

  /** @param limitMs After this long the answer is `undefined`. */
  ask<Answer>(
    work: (tracker: Tracker, host: SimulatedHost) => Promise<Answer>,
    onAnswer: (answer: Answer | undefined) => void,
    limitMs?: number,
    patienceMs = PATIENCE_MS,
  ): void {
    const settle = (answer?: Answer): void => {
      if (!this.#asks.delete(ask)) return;
      stopLimit?.();
      ask.stopWaiting();
      onAnswer(answer);
    };
    const wait = (): void => {
      const since = this.#origin.environment.scheduler.now;
      ask.stopWaiting = this.#tab.after(patienceMs, () => {
        // Busy is not dead: answers to what was asked before count.
        if (this.#answeredAt > since) wait();
        else this.#abandon();
      });
    };
    const ask: Ask = {
      send: (host) => {
        this.#post(
          host,
          () => host.tracker().then((tracker) => work(tracker, host)),
          (answer) => {
            this.#answeredAt = this.#origin.environment.scheduler.now;
            settle(answer);
          },
        );
        wait();
      },
      stopWaiting: () => undefined,
    };
    const stopLimit = limitMs === undefined ? undefined : this.#tab.after(limitMs, () => settle());
    this.#asks.add(ask);
    if (this.#isAttached) ask.send(this.#host!);
    else if (!this.#host) this.#attach();
  }

  /** Into the back-forward cache: a worker of the page's own freezes with it, a shared one forgets it. */
  detach(): void {
    this.#pause();
    if (this.#origin.environment.plan.hosts === "shared") {
      if (this.#host) this.#hosts.letGo(this.#host, this.#tab);
    } else if (this.#host) {
      this.#origin.excuse();
      this.#host.freeze();
    }
  }

  /** The host may have ended meanwhile: then it does not respond, and is abandoned. */
  reattach(): void {
    const host = this.#host;
    if (!host) return;
    if (this.#origin.environment.plan.hosts === "dedicated") {
      this.#origin.excuse();
      host.thaw();
    }
    host.tabs.add(this.#tab);
    this.#attach(host);
  }

  /** Behind the same port another host says hello. */
  meetAnother(than: SimulatedHost): void {
    if (this.#host !== than) return;
    this.hangUp();
    this.#attach();
  }

  hangUp(): void {
    const host = this.#host;
    this.#pause();
    this.#host = null;
    if (host) this.#hosts.letGo(host, this.#tab);
  }

  #pause(): void {
    this.#epoch += 1;
    this.#isAttached = false;
    this.#stopAttaching();
    for (const ask of this.#asks) ask.stopWaiting();
  }

  #abandon(): void {
    this.#origin.environment.chronicle.count("hosts left behind");
    this.hangUp();
    this.hostsAbandoned += 1;
    this.#attach();
  }

  #attach(host = this.#hosts.hostFor(this.#tab)): void {
    this.#host = host;
    // The next rung of the ladder, a little later.
    const init = this.#init;
    this.#stopAttaching = this.#tab.after(init ? INIT_PATIENCE_MS : PATIENCE_MS, () => {
      this.hangUp();
      this.hostsAbandoned += 1;
      this.#attachLater();
    });
    this.#post(
      host,
      () => host.attach(init?.request),
      (attachment) => {
        this.#stopAttaching();
        if (attachment) {
          this.#isAttached = true;
          for (const ask of this.#asks) ask.send(host);
          if (init === this.#init && attachment.init) this.#init?.onAnswer(attachment);
        } else {
          // Its storage failed.
          this.hangUp();
          this.#attachLater();
        }
      },
    );
  }

  #attachLater(): void {
    this.#tab.after(SECOND, () => this.#host ?? this.#attach());
  }

  /** As Comlink: the answer comes, or `undefined` where the host could not start or the call threw. */
  #post<Answer>(
    host: SimulatedHost,
    work: () => Promise<Answer>,
    onAnswer: (answer: Answer | undefined) => void,
  ): void {
    const epoch = this.#epoch;
    const { scheduler } = this.#origin.environment;
    const reply = (answer?: Answer): void =>
      void this.#tab.after(1 + scheduler.upTo(MESSAGE_MS), () => {
        if (epoch === this.#epoch) onAnswer(answer);
      });
    host.after(1 + scheduler.upTo(MESSAGE_MS), () => {
      work().then(reply, () => reply());
    });
  }
}
