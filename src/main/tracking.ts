import type { LiveChatSession, Outcome, Page, TrackerState } from "../protocol/api.js";
import { CALL_TIMEOUT_MS } from "../protocol/host.js";
import type { Host, PageSignal } from "../protocol/host.js";
import { SECOND } from "../protocol/wire.js";
import { after } from "./after.js";
import { CommandQueue } from "./command-queue.js";
import { HostConnection } from "./host-connection.js";
import { LiveChatFollower } from "./live-chat.js";
import type { LiveChatSource } from "./live-chat.js";
import { describe, fail, succeed } from "./outcome.js";
import { PageViews } from "./page-views.js";
import { randomId } from "./random-id.js";
import type { Settings } from "./tracking-options.js";

/** `init` may wait 2 s for the service before the host answers. */
const INIT_PATIENCE_MS = 5 * SECOND;

/** One `init()` and all that follows from it, until it fails or the instance is closed. */
export class Tracking {
  readonly settings: Settings;
  readonly pages: PageViews;
  readonly queue: CommandQueue;
  readonly started: Promise<Outcome>;
  readonly #pageId = randomId();
  readonly #connection: HostConnection;
  readonly #liveChat: LiveChatFollower | null;
  readonly #ended = new AbortController();

  constructor(settings: Settings, liveChat: LiveChatSource | null, onState: (state: TrackerState) => void) {
    this.settings = settings;
    this.pages = new PageViews(settings.namespace, settings.page);
    this.#liveChat = liveChat && new LiveChatFollower(liveChat);
    this.#connection = new HostConnection(settings, this.#pageId, (state, generation) => {
      this.queue.generation = generation;
      onState(state);
    });
    this.queue = new CommandQueue(this.#connection, this.#pageId, () => this.pages.forgetEventPage());
    this.started = this.#begin();
  }

  /**
   * A page view of what the page is now.
   *
   * @param given replaces what the page says of itself
   */
  pageView(given?: Partial<Page>) {
    const page = this.pages.present(given);
    const { sessionTimeoutMs, maxWaiting } = this.settings;
    return { type: "pageView" as const, ...(page && { page }), sessionTimeoutMs, maxWaiting };
  }

  /** Asks the host what is no command, once `init()` has succeeded. */
  async ask<Answer>(
    call: (host: HostCalls) => Promise<Outcome<Answer>>,
    limitMs = CALL_TIMEOUT_MS,
    patienceMs?: number,
  ): Promise<Outcome<Answer>> {
    const began = performance.now();
    const started = await this.started;
    if (!started.success || this.#ended.signal.aborted) return fail(2015);
    this.queue.flush();
    const answer = await this.#connection.ask<Outcome<Answer>>(call, {
      limitMs: Math.max(0, limitMs - (performance.now() - began)),
      ...(patienceMs && { patienceMs }),
    });
    return answer ?? fail(2101, "the host that was asked is silent, and so is the next");
  }

  end(): void {
    this.#ended.abort();
    this.#liveChat?.stop();
    this.queue.refuse(() => fail(2015));
    this.queue.flush();
    this.#connection.close();
  }

  async #begin(): Promise<Outcome> {
    const { signal } = this.#ended;
    if ((document as { prerendering?: boolean }).prerendering) {
      // Nobody sees the page yet, and perhaps never will: clocks and storage wait until somebody does.
      await new Promise((shown) => {
        document.addEventListener("prerenderingchange", shown, { once: true, signal });
        signal.addEventListener("abort", shown);
      });
      this.queue.restamp(Date.now());
    }
    const outcome = signal.aborted ? fail(2015) : await this.#startWithin(CALL_TIMEOUT_MS);
    if (!outcome.success) this.end();
    return outcome;
  }

  #startWithin(ms: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const stop = after(ms, () => resolve(fail(2101, "no host could be started")));
      this.#ended.signal.addEventListener("abort", () => resolve(fail(2015)));
      this.#start()
        .then(resolve, (thrown: unknown) => resolve(fail(2101, describe(thrown))))
        .finally(stop);
    });
  }

  async #start(): Promise<Outcome> {
    const { signal } = this.#ended;
    const at = Date.now();
    const firstView = this.pageView();
    const { pageViews } = this.settings;
    this.#followPage(signal);
    if (pageViews !== "manual") {
      this.pages.follow(pageViews === "spa", () => void this.queue.add(this.pageView()), signal);
    }

    const connecting = this.#connection.connect();
    if (this.#liveChat && !(await this.#liveChat.ready())) return fail(4001);
    const error = await connecting;
    if (error) return { success: false, error };

    const liveChat = this.#liveChat?.read();
    this.#liveChat?.follow(this.#reportLiveChat);
    const answer = await this.#connection.ask(
      (host) => (signal.aborted ? undefined : host.init({ pageId: this.#pageId, at, liveChat })),
      { limitMs: CALL_TIMEOUT_MS, patienceMs: INIT_PATIENCE_MS },
    );
    if (signal.aborted) return fail(2015);
    if (!answer) return fail(2101, "the host is silent");
    if (!answer.ok) return { success: false, error: answer.error };

    this.queue.generation = answer.generation;
    if (answer.rereadLiveChat) this.#liveChat?.reread(answer.rereadLiveChat, this.#reportLiveChat);

    let pageView: Promise<Outcome> | undefined;
    if (pageViews !== "manual" && !answer.optedOut) {
      pageView = this.pages.recordFirst(() => this.queue.addFirst(firstView, at));
    }
    this.queue.release();
    const outcome = await pageView;
    if (outcome && !outcome.success) console.warn(`People tracking is on, but: ${outcome.error.message}`);
    return succeed();
  }

  readonly #reportLiveChat = (session: LiveChatSession | null, left?: string): void => {
    void this.queue.add({ type: "liveChat", session, ...(left && { left }) });
  };

  /** Tells the host what only pages hear, and lets it go while the page is away. */
  #followPage(signal: AbortSignal): void {
    const tell = (word: PageSignal): void => {
      void this.#connection.ask((host) => host.signal(this.#pageId, word), { limitMs: CALL_TIMEOUT_MS });
    };
    addEventListener("online", () => tell("online"), { signal });
    addEventListener("offline", () => tell("offline"), { signal });
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.visibilityState === "visible") tell("visible");
      },
      { signal },
    );
    addEventListener(
      "pagehide",
      () => {
        this.queue.flush();
        this.#connection.detach();
      },
      { signal },
    );
    addEventListener("pageshow", ({ persisted }) => persisted && this.#connection.reattach(), { signal });
  }
}

type HostCalls = Pick<
  Host,
  "flush" | "inspect" | "retryRejected" | "discardRejected" | "setConsent" | "eraseLocalData"
>;
