/** The host's end of one page's port: the methods that the page calls with Comlink, and the messages that it receives. */
import { expose } from "comlink";
import { systemClock, systemClocks } from "../adapters/system.js";
import { commandError } from "../core/commands/accept.js";
import { commandsIn } from "../core/commands/command-batch.js";
import type { TimedInit } from "../core/commands/page-clock.js";
import { plausibleInitAt, withHostTimes } from "../core/commands/page-clock.js";
import { trackingError } from "../core/errors.js";
import type { Tracker } from "../core/tracker.js";
import type { OutboxRow, Outcome } from "../protocol/api.js";
import type {
  AttachAnswer,
  CommandAnswer,
  Host,
  HostMessage,
  InitRequest,
  InspectQuery,
  PageHello,
  PageSignal,
  Refusal,
} from "../protocol/host.js";
import { PROTOCOL_VERSION } from "../protocol/host.js";
import { monotonicNow } from "../protocol/monotonic.js";
import { idsSchema, inspectQuerySchema } from "../protocol/schemas/host.js";
import { firstProblem } from "../protocol/schemas/parse.js";
import { helloProblem } from "./check-hello.js";
import { instance } from "./instance.js";
import type { Port } from "./page-endpoint.js";
import { PageEndpoint } from "./page-endpoint.js";
import type { SharedTracker } from "./shared-tracker.js";
import { sharedTracker } from "./shared-tracker.js";

const INSPECT_LIMIT = 100;

const failure = (code: 2101 | 2102 | 2103, cause: string) =>
  ({ success: false, error: trackingError(code, "worker", cause) }) as const;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns what the wall clock showed at a moment of the monotonic clock. */
const instantAt = (moment: number): number => {
  const { now, monotonic } = systemClocks();
  return Math.round(now - (monotonic - moment));
};

const timed = (init: InitRequest): TimedInit => {
  const { at, calledAt } = init;
  const isKnown = !Number.isNaN(calledAt);
  return withHostTimes(init, isKnown ? instantAt(calledAt) : plausibleInitAt(at, systemClock.now()));
};

const isRefusal = (answer: CommandAnswer): answer is Refusal => !!answer.error;

class PagePort implements Host {
  readonly #page: PageEndpoint;
  readonly #watcher = (message: HostMessage): void => this.#page.postMessage(message);
  #shared: SharedTracker | null = null;

  constructor(page: PageEndpoint) {
    this.#page = page;
  }

  async attach(hello: PageHello, init?: InitRequest): Promise<AttachAnswer> {
    this.#page.isAway = false;
    if (hello.protocol !== PROTOCOL_VERSION) {
      const cause = `the page speaks protocol ${hello.protocol} and its host ${PROTOCOL_VERSION}`;
      return { ok: false, error: trackingError(2101, "worker", cause) };
    }
    const problem = helloProblem(hello);
    // As the page itself reports what is wrong with an argument.
    if (problem) return { ok: false, error: trackingError(2102, "fe-snippet", problem) };
    const shared = sharedTracker(hello);
    try {
      shared.tracker.online = hello.online;
      const attached = await shared.tracker.attach(hello, init && timed(init));
      // The page may have gone meanwhile.
      if (!this.#page.isAway) shared.watch(this.#watcher);
      this.#shared = shared;
      return { ok: true, ...attached };
    } catch (error) {
      // Another one has taken over meanwhile.
      if (shared.isRetired) return this.attach(hello, init);
      return { ok: false, error: failure(2103, reasonOf(error)).error };
    }
  }

  async submit(pageId: string, batch: string, calledAt?: number): Promise<Refusal[]> {
    const commands = commandsIn(batch, calledAt === undefined ? undefined : instantAt(calledAt));
    const tracker = this.#shared?.tracker;
    if (tracker) return (await tracker.submit(pageId, commands)).filter(isRefusal);
    const cause = "the page did not attach to the tracker's host";
    return commands.map((command) => ({
      n: command.n,
      error: commandError(command, cause),
      undecided: true,
    }));
  }

  async signal(signal: PageSignal): Promise<void> {
    // At once: what the page sends after it comes from a page that nobody sees.
    if (signal === "hidden" || signal === "visible") {
      this.#shared?.setVisible(this.#watcher, signal === "visible");
    }
    await this.#ask((tracker) => tracker.signal(signal));
  }

  flush(until: number): Promise<Outcome<{ waiting: number }>> {
    return this.#ask(async (tracker) => ({
      waiting: await tracker.flush(Math.max(0, until - monotonicNow())),
    }));
  }

  async inspect(query: InspectQuery): Promise<Outcome<OutboxRow[]>> {
    const problem = firstProblem(inspectQuerySchema, query, "query");
    if (problem !== null) return failure(2102, problem);
    const { state, after = 0, limit = INSPECT_LIMIT } = query;
    return this.#ask((tracker) => tracker.inspect({ ...(state && { state }), after, limit }));
  }

  async retryRejected(ids?: string[]): Promise<Outcome<{ requeued: number }>> {
    const problem = firstProblem(idsSchema, ids, "ids");
    if (problem !== null) return failure(2102, problem);
    return this.#ask(async (tracker) => ({ requeued: await tracker.retryRejected(ids) }));
  }

  async discardRejected(ids?: string[]): Promise<Outcome<{ discarded: number }>> {
    const problem = firstProblem(idsSchema, ids, "ids");
    if (problem !== null) return failure(2102, problem);
    return this.#ask(async (tracker) => ({ discarded: await tracker.discardRejected(ids) }));
  }

  setConsent(consent: "in" | "out"): Promise<Outcome> {
    return this.#ask((tracker) => tracker.setConsent(consent).then(() => null));
  }

  eraseLocalData(): Promise<Outcome> {
    return this.#ask((tracker) => tracker.erase().then(() => null));
  }

  async detach(): Promise<void> {
    this.#page.isAway = true;
    this.#shared?.unwatch(this.#watcher);
  }

  async #ask<Data>(ask: (tracker: Tracker) => Promise<Data>): Promise<Outcome<Data>> {
    const shared = this.#shared;
    if (!shared) return failure(2101, "the page did not attach to the tracker's host");
    try {
      const data = await ask(shared.tracker);
      await shared.tell(this.#watcher);
      return { success: true, data };
    } catch (error) {
      return failure(2103, reasonOf(error));
    }
  }
}

/** Exposes the host to a page before anything asynchronous, then says hello. No message after the hello is lost. */
export const servePage = (port: Port): void => {
  const page = new PageEndpoint(port);
  const host = new PagePort(page);
  expose(host, page);
  // Chromium reports when a tab has vanished. In other browsers, posting to its port is harmless.
  port.addEventListener("close", () => void host.detach());
  const clocks = systemClocks();
  const hello: HostMessage = { peopleTracking: "hello", protocol: PROTOCOL_VERSION, instance, clocks };
  page.postMessage(hello);
};
