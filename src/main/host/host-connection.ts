/**
 * Connects the page to one host at a time, and to the next one when that fails. Its parts: `first-available-host.ts`
 * tries the kinds of host, `host-session.ts` attaches to one, `pending-requests.ts` keeps what was requested, and
 * `watchdog.ts` notices a host that does not respond.
 */
import type { HostKind, TrackerState, TrackingError } from "../../protocol/api.js";
import type { Host, InitAnswer, InitRequest } from "../../protocol/host.js";
import { SECOND } from "../../protocol/wire.js";
import { randomId } from "../names.js";
import { describe, fail } from "../outcome.js";
import type { Settings } from "../tracking-options.js";
import { connectToFirst } from "./first-available-host.js";
import { createHostClock } from "./host-clock.js";
import type { ClockSkewMs, HostMoment } from "./host-clock.js";
import type { HostSession, StateReport } from "./host-session.js";
import { openSession } from "./host-session.js";
import { openHost } from "./open-host.js";
import type { HostPort } from "./open-host.js";
import type { RequestHost } from "./pending-requests.js";
import { createPendingRequests } from "./pending-requests.js";

/** Where no host is available, and requests are pending, all are tried again after this long. */
const RETRY_MS = SECOND;

export interface HostConnection {
  /** With a command's number, the operation's id. */
  pageId: string;
  hostMoment: HostMoment;
  clockSkewMs: ClockSkewMs;
  /** A host was abandoned, which may still do what was requested of it. */
  hasAbandoned(): boolean;
  /**
   * Opens a host, so that its script can load.
   *
   * @returns why none is available, once it is attached to
   */
  connect(): Promise<TrackingError | undefined>;
  /** Attaches, with this request in the same message. The time of its call is by the page's monotonic clock. */
  init(request: InitRequest): Promise<InitAnswer>;
  request: RequestHost;
  /** The page goes, perhaps into the back-forward cache: the host is to post nothing more. */
  detach(): void;
  /** The page came back after `detach()`. */
  reattach(): void;
  /** Closes the session once nothing is pending any more. */
  close(): void;
}

export const createHostConnection = (
  { name, hello, hosts, workerUrl }: Settings,
  onState: (state: TrackerState, generation: number) => void,
): HostConnection => {
  const [measureClocks, hostMoment, clockSkewMs] = createHostClock();
  let session: HostSession | undefined;
  let connecting: Promise<TrackingError | undefined> | undefined;
  /** `init()` was called: from then on the page attaches to a host as soon as it is opened. */
  let isReady = false;
  /** Goes with each request to attach until a host has responded. */
  let pendingInit: { request: InitRequest; resolve: (answer: InitAnswer) => void } | undefined;
  /** In a host's name, so that the page does not meet a worker again that hangs. */
  let abandonedHosts = 0;
  let isClosed = false;

  const closeSession = (): void => {
    session?.close();
    session = undefined;
  };

  const abandonHost = (): void => {
    closeSession();
    abandonedHosts++;
    void connect();
  };

  const requests = createPendingRequests(() => void connect(), abandonHost);

  const attachArguments = (knowsClocks: boolean): Parameters<Host["attach"]> => [
    { ...hello, online: navigator.onLine },
    pendingInit && {
      ...pendingInit.request,
      calledAt: knowsClocks ? hostMoment(pendingInit.request.calledAt) : NaN,
    },
  ];

  const tryHost = (kind: HostKind): Promise<TrackingError | undefined> => {
    const open = (onError: (why: string) => void): HostPort =>
      openHost(kind, `${name}:v${hello.protocol}:${abandonedHosts}`, workerUrl, onError);
    const onReport = ({ state, generation }: StateReport): void =>
      onState({ host: kind, ...state }, generation);

    return new Promise((resolve) => {
      if (isClosed) return resolve(undefined);
      const onAttached = (init: InitAnswer | undefined): void => {
        if (init) pendingInit?.resolve(init);
        pendingInit = undefined;
        resolve(undefined);
      };
      const onFailure = (why: string | TrackingError, wasAttached?: boolean): void => {
        if (wasAttached) return abandonHost();
        closeSession();
        resolve(typeof why === "string" ? fail(2101, `${kind} host: ${why}`).error : why);
      };
      try {
        session = openSession(
          open,
          measureClocks,
          requests,
          attachArguments,
          onReport,
          onAttached,
          onFailure,
        );
        if (isReady) session.attach();
      } catch (thrown) {
        onFailure(describe(thrown));
      }
    });
  };

  const connect = async (): Promise<TrackingError | undefined> => {
    // The host that is being tried may be connected already.
    if (!connecting && (isClosed || session)) return undefined;
    return (connecting ??= connectToFirst(hosts, tryHost).then((error) => {
      connecting = undefined;
      if (error && !requests.isEmpty()) setTimeout(connect, RETRY_MS);
      return error;
    }));
  };

  return {
    pageId: randomId(),
    hostMoment,
    clockSkewMs,
    hasAbandoned: () => abandonedHosts > 0,
    connect,

    init: (request) => {
      isReady = true;
      return new Promise((resolve) => {
        pendingInit = { request, resolve };
        session?.attach();
        void connect().then((error) => error && resolve({ ok: false, error }));
      });
    },

    request: requests.request,

    detach: () => session?.detach(),
    reattach: () => session?.attach(),

    close: () => {
      isClosed = true;
      requests.close(() => {
        session?.detach();
        closeSession();
      });
    },
  };
};
