/**
 * The page's session with one host, from opening it to closing it. The host says hello; the page attaches, and attaches
 * again where another instance says hello on the same port (WebKit runs a worker's script again) or the page comes back
 * from the back-forward cache.
 */
import type { HostKind, TrackerState, TrackingError } from "../../protocol/api.js";
import type { Host, HostMessage, InitAnswer } from "../../protocol/host.js";
import { SECOND } from "../../protocol/wire.js";
import { after } from "../after.js";
import { describe, fail } from "../outcome.js";
import type { CallHost } from "./call-host.js";
import { createHostCaller } from "./call-host.js";
import type { HostClock } from "./host-clock.js";
import { openHost } from "./open-host.js";
import { SILENCE_TIMEOUT_MS } from "./pending-requests.js";

/** The host itself may wait 2 s for the service before it responds to what `init()` requests. */
const INIT_TIMEOUT_MS = 5 * SECOND;

export interface HostSession {
  attach(): void;
  /** Asks the host to post nothing more, not even responses: the page goes, perhaps into the back-forward cache. */
  detach(): void;
  close(): void;
}

export interface SessionOptions {
  kind: HostKind;
  name: string;
  workerUrl: string | undefined;
  clock: HostClock;
  attachArguments(): Parameters<Host["attach"]>;
  onState(state: TrackerState, generation: number): void;
  /** The page is about to attach: what it sent before is not responded to any more. */
  onDetached(): void;
  onAttached(call: CallHost, init: InitAnswer | undefined): void;
  /** Not after `close()`. */
  onFailure(error: TrackingError, wasAttached: boolean): void;
}

/** @throws where the browser refuses at once */
export const openSession = ({
  kind,
  name,
  workerUrl,
  clock,
  attachArguments,
  onState,
  onDetached,
  onAttached,
  onFailure,
}: SessionOptions): HostSession => {
  let status: "opened" | "attached" | "reattaching" | "closed" = "opened";
  /** Of the script that said hello last. */
  let instance: string | undefined;
  /** The last request to attach; responses to those before it do not count. */
  let attaching: Parameters<Host["attach"]> | undefined;

  const failed = (why: string | TrackingError): void => {
    stopTimer();
    if (status === "closed") return;
    onFailure(typeof why === "string" ? fail(2101, `${kind} host: ${why}`).error : why, status !== "opened");
  };

  const awaitResponse = (): void => {
    stopTimer();
    if (!attaching) return;
    const timeoutMs = attaching[1] ? INIT_TIMEOUT_MS : SILENCE_TIMEOUT_MS;
    stopTimer = after(timeoutMs, () => failed("it did not answer"));
  };

  const attach = (): void => {
    if (status === "attached") status = "reattaching";
    onDetached();
    const request = (attaching = attachArguments());
    if (instance) awaitResponse();
    call(
      "attach",
      () => request,
      (response) => {
        if (request !== attaching) return;
        stopTimer();
        if (!response.ok) return failed(response.error);
        status = "attached";
        onState(response.state, response.generation);
        onAttached(call, response.init);
      },
      (thrown) => failed(describe(thrown)),
    );
  };

  const onMessage = (message: HostMessage): void => {
    if (status === "closed") return;
    clock.measure(message.clocks, message.peopleTracking === "hello");
    if (message.peopleTracking === "state") return onState(message.state, message.generation);
    if (message.instance === instance) return;
    const isFirst = !instance;
    instance = message.instance;
    // The first one has what was posted when it was opened.
    if (isFirst) awaitResponse();
    else attach();
  };

  clock.reset();
  const host = openHost(kind, name, workerUrl, (why) => instance || failed(why));
  let stopTimer = after(SILENCE_TIMEOUT_MS, () => failed("it said nothing"));
  const call = createHostCaller(host.endpoint, onMessage);

  return {
    attach,
    detach: () => {
      if (status === "attached") call("detach", () => []);
    },
    close: () => {
      status = "closed";
      attaching = undefined;
      stopTimer();
      host.close();
    },
  };
};
