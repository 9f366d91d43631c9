/**
 * Connects the page to one host at a time, and to the next one when that fails. Its parts: `first-available-host.ts`
 * tries the kinds of host, `host-session.ts` attaches to one, `pending-requests.ts` keeps what was requested, and
 * `watchdog.ts` notices a host that does not respond.
 */
import type { HostKind, TrackerState, TrackingError } from "../../protocol/api.js";
import type { InitAnswer, InitRequest } from "../../protocol/host.js";
import { randomId } from "../names.js";
import { describe, fail } from "../outcome.js";
import type { Settings } from "../tracking-options.js";
import { createConnect } from "./first-available-host.js";
import { createHostClock } from "./host-clock.js";
import type { HostClock } from "./host-clock.js";
import type { HostSession } from "./host-session.js";
import { openSession } from "./host-session.js";
import type { RequestHost } from "./pending-requests.js";
import { createPendingRequests } from "./pending-requests.js";

export interface HostConnection {
  /** With a command's number, the operation's id. */
  pageId: string;
  clock: Pick<HostClock, "hostMoment" | "skewMs">;
  /** A host was abandoned, which may still do what was requested of it. */
  hasAbandonedHost(): boolean;
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
  const clock = createHostClock();
  let session: HostSession | undefined;
  /** `init()` was called: from then on the page attaches to a host as soon as it is opened. */
  let isReady = false;
  /** Goes with each request to attach until a host has responded. */
  let pendingInit: { request: InitRequest; resolve: (answer: InitAnswer) => void } | undefined;
  /** In a host's name, so that the page does not meet a worker again that hangs. */
  let abandonedHosts = 0;
  let isClosed = false;

  const closeSession = (): void => {
    requests.detached();
    session?.close();
    session = undefined;
  };

  const closeIfDone = (): void => {
    if (!isClosed || (requests.isAttached() && !requests.isEmpty())) return;
    session?.detach();
    closeSession();
  };

  const abandonHost = (): void => {
    closeSession();
    abandonedHosts++;
    void connect();
  };

  const requests = createPendingRequests(abandonHost, closeIfDone);

  const tryHost = (kind: HostKind): Promise<TrackingError | undefined> =>
    new Promise((resolve) => {
      if (isClosed) return resolve(undefined);
      const giveUp = (error: TrackingError): void => {
        closeSession();
        resolve(error);
      };
      try {
        session = openSession({
          kind,
          name: `${name}:v${hello.protocol}:${abandonedHosts}`,
          workerUrl,
          clock,
          attachArguments: () => [
            { ...hello, host: kind, online: navigator.onLine },
            pendingInit && {
              ...pendingInit.request,
              calledAt: clock.hostMoment(pendingInit.request.calledAt),
            },
          ],
          onState,
          onDetached: requests.detached,
          onAttached: (call, init) => {
            if (init) pendingInit?.resolve(init);
            pendingInit = undefined;
            requests.attached(call);
            resolve(undefined);
          },
          onFailure: (error, wasAttached) => (wasAttached ? abandonHost() : giveUp(error)),
        });
        if (isReady) session.attach();
      } catch (thrown) {
        giveUp(fail(2101, `${kind} host: ${describe(thrown)}`).error);
      }
    });

  const connect = createConnect({
    kinds: hosts,
    tryHost,
    isDone: () => isClosed || !!session,
    hasRequests: () => !requests.isEmpty(),
  });

  return {
    pageId: randomId(),
    clock,
    hasAbandonedHost: () => abandonedHosts > 0,
    connect,

    init: (request) => {
      isReady = true;
      return new Promise((resolve) => {
        pendingInit = { request, resolve };
        session?.attach();
        void connect().then((error) => error && resolve({ ok: false, error }));
      });
    },

    request: (...given) => {
      const response = requests.request(...given);
      if (!requests.isAttached()) void connect();
      return response;
    },

    detach: () => session?.detach(),
    reattach: () => session?.attach(),

    close: () => {
      isClosed = true;
      closeIfDone();
    },
  };
};
