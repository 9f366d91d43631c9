import type { Outcome, Page, TrackerState } from "../protocol/api.js";
import { CALL_TIMEOUT_MS } from "../protocol/host.js";
import type { Host, InitAnswer, LoadView, PageSignal } from "../protocol/host.js";
import { within } from "./after.js";
import type { AfterStart } from "./after-start.js";
import { CommandQueue } from "./command-queue.js";
import { HostConnection } from "./host-connection.js";
import { LiveChatFollower } from "./live-chat.js";
import type { LiveChatSource } from "./live-chat.js";
import { trust } from "./open-host.js";
import { describe, fail } from "./outcome.js";
import { PageViews } from "./page-views.js";
import type { Settings } from "./tracking-options.js";

/** What pages ask beside sending commands. */
type Question = "flush" | "inspect" | "retryRejected" | "discardRejected" | "setConsent" | "eraseLocalData";
type Answer<Method extends Question> = Awaited<ReturnType<Host[Method]>>;

/** One `init()` and all that follows from it, until it fails or the instance is closed. */
export class Tracking {
  readonly settings: Settings;
  readonly pages: PageViews;
  readonly connection: HostConnection;
  readonly queue: CommandQueue;
  readonly started: Promise<Outcome>;
  readonly #liveChat: LiveChatFollower | null;
  readonly #ended = new AbortController();
  #state: TrackerState | undefined;
  #later: AfterStart | undefined;
  #isErased = false;

  constructor(
    settings: Settings,
    liveChat: LiveChatSource | null,
    onState: (state: TrackerState) => void,
    onFailure: () => void,
  ) {
    this.settings = settings;
    this.pages = new PageViews(settings);
    this.connection = new HostConnection(settings, (state, generation) => {
      this.queue.generation = generation;
      this.#state = state;
      this.queue.host = state.host;
      this.#later?.told(state);
      onState(state);
    });
    this.queue = new CommandQueue(this.connection, settings, () => this.pages.forgetEventPage());
    this.#liveChat =
      liveChat &&
      new LiveChatFollower(liveChat, (change) => void this.queue.add({ type: "liveChat", ...change }));
    this.started = this.#begin(onFailure);
  }

  /**
   * A page view of what the page is now.
   *
   * @param given replaces what the page says of itself
   */
  pageView(given?: Partial<Page>) {
    const page = this.pages.present(given);
    return { type: "pageView" as const, ...(page && { page }) };
  }

  /** Asks the host what is no command, once `init()` has succeeded. */
  async ask<Method extends Question>(
    method: Method,
    args: Parameters<Host[Method]>,
    limitMs = CALL_TIMEOUT_MS,
    patienceMs?: number,
  ): Promise<Answer<Method>> {
    const until = performance.now() + limitMs;
    const { success } = await this.started;
    if (!success || this.#ended.signal.aborted) return fail(2015) as Answer<Method>;
    this.queue.flush();
    const answer = await this.connection.ask(method, args, until - performance.now(), patienceMs);
    return answer ?? (fail(2101, "the host is silent") as Answer<Method>);
  }

  async erase(): Promise<Outcome> {
    const outcome = await this.ask("eraseLocalData", []);
    if (outcome.success) {
      this.#isErased = true;
      this.#later?.erased();
    }
    return outcome;
  }

  end(): void {
    this.#ended.abort();
    this.#liveChat?.stop();
    this.queue.refuse(fail(2015));
    this.queue.save();
    this.connection.close();
  }

  async #begin(onFailure: () => void): Promise<Outcome> {
    const { signal } = this.#ended;
    const ended = (act: () => void): void => signal.addEventListener("abort", act);
    if ((document as { prerendering?: boolean }).prerendering) {
      // Nobody sees the page yet, and perhaps never will: clocks and storage wait until somebody does.
      await new Promise<unknown>((shown) => {
        document.addEventListener("prerenderingchange", shown, { signal });
        ended(() => shown(null));
      });
      this.queue.restamp();
    }
    const started = new Promise<Outcome>((resolve) => {
      ended(() => resolve(fail(2015)));
      this.#start(signal).then(resolve, (thrown) => resolve(fail(2101, describe(thrown))));
    });
    const outcome = (await within(CALL_TIMEOUT_MS, started)) ?? fail(2101, "no host answered");
    if (!outcome.success) {
      if (!signal.aborted) onFailure();
      this.end();
    }
    return outcome;
  }

  async #start(signal: AbortSignal): Promise<Outcome> {
    if (signal.aborted) return fail(2015);
    const at = Date.now();
    const { pageViews } = this.settings;
    const view = pageViews === "manual" ? undefined : this.pages.ofLoad(() => this.#firstView(at));
    const liveChat = this.#liveChat;
    const ask = () => this.connection.init({ at, liveChat: liveChat?.follow(), view });
    const asked = liveChat
      ? liveChat
          .ready()
          .then((isReady): InitAnswer | Promise<InitAnswer> =>
            isReady && !signal.aborted ? ask() : { ok: false, error: fail(4001).error },
          )
      : ask();
    void this.connection.connect();
    // Once the host has something to do.
    this.#followPage(signal);
    if (pageViews === "spa") this.pages.follow(() => this.#recordView(), signal);

    const answer = await asked;
    if (!answer.ok) return { success: false, error: answer.error };
    if (answer.rereadLiveChat) liveChat?.reread(answer.rereadLiveChat);
    if (view) this.pages.settleLoad(answer.view);
    this.queue.open();
    // A task after `init()` has resolved, which waits for none of it. Should the page end before, the next one does it.
    const later = setTimeout(() => {
      import("./after-start.js").then(
        ({ afterStart }) => (this.#later = afterStart(this, this.#state!, this.#isErased, trust, signal)),
        () => {}, // the site does not serve the file: journals wait for a page that has it
      );
    });
    signal.addEventListener("abort", () => clearTimeout(later));
    return { success: true, data: null };
  }

  #firstView(at: number): LoadView {
    return { pageId: this.connection.pageId, command: this.queue.numbered(this.pageView(), at) };
  }

  #recordView(): void {
    void this.queue.add(this.pageView());
  }

  /** Tells the host what only pages hear, and lets it go while the page is away. */
  #followPage(signal: AbortSignal): void {
    const tell = (word: PageSignal): void => {
      void this.connection.ask("signal", [word], CALL_TIMEOUT_MS);
    };
    const on = (target: EventTarget, type: string, listener: (event: Event) => void): void =>
      target.addEventListener(type, listener, { signal, capture: true });
    on(window, "online", () => tell("online"));
    on(window, "offline", () => tell("offline"));
    on(document, "visibilitychange", () => {
      if (document.visibilityState === "visible") tell("visible");
      else this.queue.save();
    });
    on(window, "pagehide", () => {
      this.queue.isLeaving = true;
      this.queue.save();
      this.connection.detach();
    });
    on(window, "pageshow", (event) => {
      this.queue.isLeaving = false;
      if (!(event as PageTransitionEvent).persisted) return;
      this.connection.reattach();
      if (this.settings.pageViews !== "manual" && this.pages.isRestored(event)) this.#recordView();
    });
  }
}
