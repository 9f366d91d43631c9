/**
 * Connects the page to one host at a time, and to the next one when that fails: hosts of all kinds are tried in order until the
 * page is attached to one. A host says hello; the page attaches, and attaches again where another instance says hello on
 * the same port (WebKit runs a worker's script again) or the page comes back from the back-forward cache.
 */
import type { HostKind, TrackerState } from "../../protocol/api.js";
import type { AttachAnswer, HostMessage, InitAnswer, InitRequest } from "../../protocol/host.js";
import { SECOND } from "../../protocol/wire.js";
import { after } from "../after.js";
import { randomId } from "../names.js";
import { describe, fail } from "../outcome.js";
import type { Settings } from "../tracking-options.js";
import { callHost } from "./call-host.js";
import type { ComlinkResponse } from "./call-host.js";
import { createHostClock } from "./host-clock.js";
import type { ClockSkewMs, HostMoment } from "./host-clock.js";
import { closeHost, openHost } from "./open-host.js";
import type { HostPort } from "./open-host.js";
import type { RequestHost } from "./pending-requests.js";
import { SILENCE_TIMEOUT_MS, createPendingRequests } from "./pending-requests.js";

/** The host itself may wait 2 s for the service before it responds to what `init()` requests. */
const INIT_TIMEOUT_MS = 5 * SECOND;
/** Where no host is available, and requests are pending, all are tried again after this long. */
const RETRY_MS = SECOND;

export interface HostConnection {
  /** With a command's number, the operation's id. */
  pageId: string;
  hostMoment: HostMoment;
  clockSkewMs: ClockSkewMs;
  /** A host was abandoned, which may still do what was requested of it. */
  hasAbandoned(): boolean;
  /** Opens a host, so that its script can load. */
  connect(): void;
  /** Attaches, with this request in the same message. The time of its call is by the page's monotonic clock. */
  init(request: InitRequest): Promise<InitAnswer>;
  request: RequestHost;
  /** The page goes, perhaps into the back-forward cache: the host is to post nothing more, not even responses. */
  detach(): void;
  /** The page came back after `detach()`. */
  attach(): void;
  /** Closes the host's port once nothing is pending any more. */
  close(): void;
}

export const createHostConnection = (
  { name, hello, hosts, workerUrl }: Settings,
  onState: (state: TrackerState, generation: number) => void,
): HostConnection => {
  const [measureClocks, hostMoment, clockSkewMs] = createHostClock();
  /** The present host's, and its place among the kinds that are tried. */
  let port: HostPort | undefined;
  let kindIndex = 0;
  /** Of the host's script that said hello last. */
  let instance: string | undefined;
  let stopTimer: (() => void) | undefined;
  /** The last call to attach; responses to those before it do not count. */
  let attaching: number | undefined;
  let wasAttached = false;
  /** Set by `init()`: from then on the page attaches to a host as soon as it is opened. */
  let resolveInit: ((answer: InitAnswer) => void) | undefined;
  /** Goes with each request to attach until a host has responded. */
  let initRequest: InitRequest | undefined;
  /** In a host's name, so that the page does not meet a worker again that hangs. */
  let abandonedHosts = 0;
  let isClosed = false;

  const kind = (): HostKind => hosts[kindIndex]!;

  const closePort = (): void => {
    stopTimer?.();
    if (port) closeHost(port);
    port = instance = attaching = undefined;
    requests.detach();
  };

  /** A host that was attached to is replaced from the first kind on; one that never was, by the next kind. */
  const onFailure = (why: string, error = fail(2101, `${kind()} host: ${why}`).error): void => {
    closePort();
    if (wasAttached) {
      wasAttached = false;
      abandonedHosts++;
      kindIndex = 0;
    } else if (error.code === 2102 || !hosts[++kindIndex]) {
      kindIndex = 0;
      resolveInit?.({ success: false, error });
      if (!requests.isEmpty()) setTimeout(connect, RETRY_MS);
      return;
    }
    connect();
  };

  const onSilence = (): void => onFailure("it did not answer in time");

  const awaitMessage = (timeoutMs: number): void => {
    stopTimer?.();
    stopTimer = after(timeoutMs, onSilence);
  };

  const awaitAttached = (): void => {
    if (attaching) awaitMessage(initRequest ? INIT_TIMEOUT_MS : SILENCE_TIMEOUT_MS);
    else stopTimer?.();
  };

  const attach = (): void => {
    if (!port) return;
    requests.detach();
    try {
      attaching = callHost(port, "attach", [
        { ...hello, online: navigator.onLine },
        // The host's clocks are known after its first message.
        initRequest && { ...initRequest, calledAt: instance ? hostMoment(initRequest.calledAt) : NaN },
      ]);
      if (instance) awaitAttached();
    } catch (thrown) {
      onFailure(describe(thrown));
    }
  };

  const onAttached = (answer: AttachAnswer): void => {
    stopTimer?.();
    if (!answer.ok) return onFailure("", answer.error);
    wasAttached = true;
    attaching = undefined;
    onState({ host: kind(), ...answer.state }, answer.generation);
    if (answer.init) resolveInit?.(answer.init);
    initRequest = undefined;
    requests.attach(port!);
  };

  const onMessage = (data: HostMessage | ComlinkResponse): void => {
    if ("id" in data) {
      if (data.type !== "RAW") return;
      if (data.id === attaching) onAttached(data.value as AttachAnswer);
      else requests.onResponse(data.id, data.value);
      return;
    }
    const isHello = data.peopleTracking === "hello";
    measureClocks(data.clocks, isHello);
    if (!isHello) return onState({ host: kind(), ...data.state }, data.generation);
    if (data.instance === instance) return;
    const isFirst = !instance;
    instance = data.instance;
    // The first one has what was posted when it was opened.
    if (isFirst) awaitAttached();
    else attach();
  };

  const connect = (): void => {
    if (port || isClosed) return;
    try {
      const own = openHost(kind(), `${name}:v${hello.protocol}:${abandonedHosts}`, workerUrl, (why) => {
        if (port === own && !instance) onFailure(why);
      });
      port = own;
      own.addEventListener("message", (event) => {
        const { data } = event as MessageEvent<HostMessage | ComlinkResponse | null>;
        if (port === own && data) onMessage(data);
      });
      if ("start" in own) own.start();
      awaitMessage(SILENCE_TIMEOUT_MS);
      if (resolveInit) attach();
    } catch (thrown) {
      onFailure(describe(thrown));
    }
  };

  const requests = createPendingRequests(connect, onSilence);

  const detach = (): void => {
    try {
      if (port) callHost(port, "detach", []);
    } catch {
      // The page has patched its ports: the host finds out by itself.
    }
  };

  return {
    pageId: randomId(),
    hostMoment,
    clockSkewMs,
    hasAbandoned: () => abandonedHosts > 0,
    connect,

    init: (request) =>
      new Promise((resolve) => {
        resolveInit = resolve;
        initRequest = request;
        if (port) attach();
        else connect();
      }),

    request: requests.request,

    detach,
    attach,

    close: () => {
      isClosed = true;
      requests.close(() => {
        detach();
        closePort();
      });
    },
  };
};
