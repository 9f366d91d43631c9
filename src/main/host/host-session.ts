/**
 * The page's session with one host, from opening it to closing it. The host says hello; the page attaches, and attaches
 * again where another instance says hello on the same port (WebKit runs a worker's script again) or the page comes back
 * from the back-forward cache.
 */
import type { TrackingError } from "../../protocol/api.js";
import type { Host, HostMessage, HostState, InitAnswer } from "../../protocol/host.js";
import { SECOND } from "../../protocol/wire.js";
import { after } from "../after.js";
import { describe } from "../outcome.js";
import { createHostCaller } from "./call-host.js";
import type { MeasureClocks } from "./host-clock.js";
import { closeHost } from "./open-host.js";
import type { HostPort } from "./open-host.js";
import type { PendingRequests } from "./pending-requests.js";
import { SILENCE_TIMEOUT_MS } from "./pending-requests.js";

/** The host itself may wait 2 s for the service before it responds to what `init()` requests. */
const INIT_TIMEOUT_MS = 5 * SECOND;

/** What a host reports when the page attaches, and at each change. */
export interface StateReport {
  state: HostState;
  /** The erase generation of the store. */
  generation: number;
}

export interface HostSession {
  attach(): void;
  /** Asks the host to post nothing more, not even responses: the page goes, perhaps into the back-forward cache. */
  detach(): void;
  close(): void;
}

/**
 * @param open - starts the host
 * @param attachArguments - are made anew for each attachment; the host's clocks are known after its first message
 * @param requests - are sent once the page is attached
 * @param onAttached - gets the response to what `init()` requested, if that was sent with the request to attach
 * @param onFailure - is not called after `close()`
 * @throws where the browser refuses at once
 */
export const openSession = (
  open: (onError: (why: string) => void) => HostPort,
  measureClocks: MeasureClocks,
  requests: PendingRequests,
  attachArguments: (knowsClocks: boolean) => Parameters<Host["attach"]>,
  onReport: (report: StateReport) => void,
  onAttached: (init: InitAnswer | undefined) => void,
  onFailure: (why: string | TrackingError, wasAttached: boolean) => void,
): HostSession => {
  let wasAttached = false;
  let isClosed = false;
  /** Of the script that said hello last. */
  let instance: string | undefined;
  /** The last request to attach; responses to those before it do not count. */
  let attaching: Parameters<Host["attach"]> | undefined;

  const failed = (why: string | TrackingError): void => {
    stopTimer();
    if (!isClosed) onFailure(why, wasAttached);
  };

  const awaitMessage = (timeoutMs: number): (() => void) =>
    after(timeoutMs, () => failed("it did not answer in time"));

  const awaitResponse = (): void => {
    stopTimer();
    if (attaching) stopTimer = awaitMessage(attaching[1] ? INIT_TIMEOUT_MS : SILENCE_TIMEOUT_MS);
  };

  const attach = (): void => {
    requests.detach();
    const request = (attaching = attachArguments(!!instance));
    if (instance) awaitResponse();
    call(
      "attach",
      () => request,
      (response) => {
        if (request !== attaching) return;
        stopTimer();
        if (!response.ok) return failed(response.error);
        wasAttached = true;
        onReport(response);
        onAttached(response.init);
        requests.attach(call);
      },
      (thrown) => failed(describe(thrown)),
    );
  };

  const onMessage = (message: HostMessage): void => {
    if (isClosed) return;
    const isHello = message.peopleTracking === "hello";
    measureClocks(message.clocks, isHello);
    if (!isHello) return onReport(message);
    if (message.instance === instance) return;
    const isFirst = !instance;
    instance = message.instance;
    // The first one has what was posted when it was opened.
    if (isFirst) awaitResponse();
    else attach();
  };

  const port = open((why) => instance || failed(why));
  let stopTimer = awaitMessage(SILENCE_TIMEOUT_MS);
  const call = createHostCaller(port, onMessage);

  return {
    attach,
    detach: () => call("detach", () => []),
    close: () => {
      isClosed = true;
      attaching = undefined;
      stopTimer();
      closeHost(port);
      requests.detach();
    },
  };
};
