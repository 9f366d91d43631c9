/**
 * The tie to one host at a time. Whatever is asked stays asked until it is answered or its time is up: a host that fell
 * silent, or whose script ran again on the same port (WebKit does that), is attached to anew and asked again, in the
 * same order. So what is asked must do no harm twice; commands have numbers for that.
 */
import type { HostKind, TrackerState, TrackingError } from "../protocol/api.js";
import type { AttachAnswer, Host, HostClocks, InitAnswer, InitRequest } from "../protocol/host.js";
import { monotonicNow } from "../protocol/monotonic.js";
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

export interface HostConnection {
  /** With its number, an operation's id. */
  pageId: string;
  /** A moment of the page's monotonic clock, in the host's. Early rather than late, by what a message takes at least. */
  hostMoment(moment: number): number;
  /** How far the page's wall clock was behind the host's when that was last heard of. */
  clockSkewMs(): number;
  /** There is a host that may yet do what it was asked. */
  hasLeft(): boolean;
  /**
   * Opens a host, so that its script can load.
   *
   * @returns why there is none to be had, once it is attached to
   */
  connect(): Promise<TrackingError | undefined>;
  /** Attaches, and asks with the same message; the time of the call is given by the page's monotonic clock. */
  init(request: InitRequest): Promise<InitAnswer>;
  /**
   * @param args made anew for each host that is asked
   * @param limitMs the answer is `undefined` after this long
   * @param patienceMs for what a healthy host may take longer over
   * @throws why it could not be sent
   */
  ask<Method extends keyof Host>(
    method: Method,
    args: () => Parameters<Host[Method]>,
    limitMs?: number,
    patienceMs?: number,
  ): Promise<Awaited<ReturnType<Host[Method]>> | undefined>;
  /** The host says nothing more, not even what it was asked: the page goes, perhaps into the back-forward cache. */
  detach(): void;
  /** Comes back from `detach()`. */
  reattach(): void;
  /** Hangs up when nothing is asked any more. */
  close(): void;
}

export const createHostConnection = (
  { name, hello, hosts, workerUrl }: Settings,
  onState: (state: TrackerState, generation: number) => void,
): HostConnection => {
  /** In the order in which they were asked. */
  const asks = new Set<Ask>();
  let open: OpenHost | undefined;
  /** Set while attached. */
  let call: CallHost | undefined;
  let attach: (() => void) | undefined;
  /** Goes with each attachment until a host has answered it. */
  let initAsked: { request: InitRequest; resolve: (answer: InitAnswer) => void } | undefined;
  /** `init()` has been asked: from then on a host that opens is attached to at once. */
  let isReady = false;
  let connecting: Promise<TrackingError | undefined> | undefined;
  /** Counts the hosts left behind. In the name, so that a wedged worker is not met again. */
  let left = 0;
  let answeredAt = 0;
  /** One timer for all that is asked. It ends with the last answer: frameworks wait for a page without timers. */
  let stopWatching: (() => void) | undefined;
  let watchesUntil = NEVER;
  /** Changes with every attachment: what an instance says to which this page is not attached does not count. */
  let epoch = 0;
  /** How far the host's monotonic clock is ahead of the page's; unknown before its first message. */
  let monotonicOffset = NaN;
  let clockSkewMs = 0;
  let closed = false;

  /** What a message says was so when it was posted: the one that was under way for the shortest time is nearest. */
  const readClocks = ({ now, monotonic }: HostClocks, isFirst: boolean): void => {
    const offset = monotonic - monotonicNow();
    monotonicOffset = isFirst ? offset : Math.max(monotonicOffset, offset);
    clockSkewMs = Math.round(now + monotonicOffset - offset - Date.now());
  };

  const connect = async (): Promise<TrackingError | undefined> => {
    // An open host is attached or about to be, unless it is the one being tried.
    if (closed || (open && !connecting)) return undefined;
    return (connecting ??= climb().finally(() => (connecting = undefined)));
  };

  const watch = ({ limitAt, sentAt, patienceMs }: Ask): void => {
    const due = Math.min(limitAt, sentAt + patienceMs);
    if (due >= watchesUntil) return;
    stopWatching?.();
    watchesUntil = due;
    stopWatching = after(Math.ceil(due - monotonicNow()), look);
  };

  const look = (): void => {
    watchesUntil = NEVER;
    const now = monotonicNow();
    let isSilent = false;
    for (const ask of asks) {
      if (now >= ask.limitAt) ask.settle();
      // Busy is not dead: answers to what was asked before count.
      else if (now >= ask.sentAt + ask.patienceMs) {
        if (answeredAt > ask.sentAt) ask.sentAt = now;
        else isSilent = true;
      }
    }
    if (isSilent) leave();
    asks.forEach(watch);
  };

  const detach = (): void => call?.("detach", () => []);

  const pause = (): void => {
    call = undefined;
    epoch++;
    for (const ask of asks) ask.sentAt = NEVER;
  };

  const hangUp = (): void => {
    pause();
    open?.close();
    open = attach = undefined;
  };

  const done = (ask: Ask): void => {
    asks.delete(ask);
    if (!asks.size) {
      stopWatching?.();
      watchesUntil = NEVER;
    }
    hangUpIfDone();
  };

  const hangUpIfDone = (): void => {
    if (!closed || (call && asks.size)) return;
    detach();
    hangUp();
  };

  const leave = (): void => {
    hangUp();
    left++;
    void connect();
  };

  const climb = async (): Promise<TrackingError | undefined> => {
    let error: TrackingError | undefined;
    for (const kind of hosts) {
      if (closed) break;
      error = await tryOut(kind);
      if (!error) return undefined;
    }
    if (asks.size) setTimeout(connect, SECOND);
    return error;
  };

  /** @returns why this kind of host cannot be used here */
  const tryOut = (kind: HostKind): Promise<TrackingError | undefined> =>
    new Promise((resolve) => {
      let instance: string | undefined;
      let attached = false;

      const giveUp = (why: string | TrackingError): void => {
        stopWaiting();
        if (attached) return leave();
        hangUp();
        resolve(typeof why === "string" ? fail(2101, `${kind} host: ${why}`).error : why);
      };
      let stopWaiting = after(PATIENCE_MS, () => giveUp("it said nothing"));
      const awaitAnswer = (): void => {
        stopWaiting();
        if (!isReady) return;
        stopWaiting = after(initAsked ? INIT_PATIENCE_MS : PATIENCE_MS, () => giveUp("it did not answer"));
      };

      try {
        monotonicOffset = NaN;
        const opened = (open = openHost(
          kind,
          `${name}:v${hello.protocol}:${left}`,
          workerUrl,
          (why) => instance || giveUp(why),
        ));
        const callHost = hostAt(opened.endpoint, (message) => {
          if (open !== opened) return;
          readClocks(message.clocks, message.peopleTracking === "hello");
          if (message.peopleTracking === "state") {
            onState(message.state, message.generation);
          } else if (message.instance !== instance) {
            const isAnother = instance;
            instance = message.instance;
            if (isAnother) attachNow();
            // The first one has what was posted as it was opened.
            else awaitAnswer();
          }
        });

        const attachNow = (attach = (): void => {
          if (instance) awaitAnswer();
          pause();
          const epochThen = epoch;
          const page = { ...hello, host: kind, online: navigator.onLine };
          const init = initAsked && {
            ...initAsked.request,
            calledAt: initAsked.request.calledAt + monotonicOffset,
          };
          const take = (answer: AttachAnswer): void => {
            if (epochThen !== epoch) return;
            stopWaiting();
            if (!answer.ok) return giveUp(answer.error);
            attached = true;
            call = callHost;
            onState(answer.state, answer.generation);
            if (answer.init) initAsked?.resolve(answer.init);
            initAsked = undefined;
            for (const ask of asks) ask.send(callHost);
            resolve(undefined);
          };
          callHost(
            "attach",
            () => [page, init],
            take,
            (thrown) => giveUp(describe(thrown)),
          );
        });
        if (isReady) attachNow();
      } catch (thrown) {
        giveUp(describe(thrown));
      }
    });

  return {
    pageId: randomId(),
    hostMoment: (moment) => moment + monotonicOffset,
    clockSkewMs: () => clockSkewMs,
    hasLeft: () => left > 0,
    connect,

    init: (request) => {
      isReady = true;
      return new Promise((resolve) => {
        initAsked = { request, resolve };
        attach?.();
        void connect().then((error) => error && resolve({ ok: false, error }));
      });
    },

    ask: (method, args, limitMs = NEVER, patienceMs = PATIENCE_MS) =>
      new Promise((resolve, reject) => {
        const ask: Ask = {
          send: (to) => {
            const epochThen = epoch;
            ask.sentAt = monotonicNow();
            watch(ask);
            const take = (answer: Awaited<ReturnType<Host[typeof method]>>): void => {
              if (epochThen !== epoch) return;
              answeredAt = monotonicNow();
              settle(answer);
            };
            to(method, args, take, (thrown) => {
              done(ask);
              reject(thrown);
            });
          },
          settle: () => settle(),
          limitAt: monotonicNow() + limitMs,
          patienceMs,
          sentAt: NEVER,
        };
        const settle = (answer?: Awaited<ReturnType<Host[typeof method]>>): void => {
          done(ask);
          resolve(answer);
        };
        asks.add(ask);
        if (call) ask.send(call);
        else {
          watch(ask);
          void connect();
        }
      }),

    detach,
    reattach: () => attach?.(),

    close: () => {
      closed = true;
      hangUpIfDone();
    },
  };
};
