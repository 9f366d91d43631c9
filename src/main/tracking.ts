/** What one `init()` starts, until it fails or the instance is closed. It connects the parts of the page's side. */
import type { LiveChatSource, Outcome, Page, TrackerState } from "../protocol/api.js";
import { CALL_TIMEOUT_MS } from "../protocol/host.js";
import type { Host, InitAnswer, PageSignal } from "../protocol/host.js";
import { monotonicNow } from "../protocol/monotonic.js";
import { within } from "./after.js";
import type { AfterStart } from "./after-start.js";
import { createCallQueue } from "./call-queue.js";
import type { CallQueue } from "./call-queue.js";
import { documentText } from "./document-text.js";
import { createHostConnection } from "./host/host-connection.js";
import type { HostConnection } from "./host/host-connection.js";
import { followLiveChat } from "./live-chat.js";
import { trustedScriptUrl } from "./host/trusted-script-url.js";
import { SUCCESS, describe, fail } from "./outcome.js";
import { createPageViews } from "./page-views.js";
import type { PageViews } from "./page-views.js";
import type { Settings } from "./tracking-options.js";
import { outsideZones } from "./zones.js";

/** What pages request beside sending commands. */
type RequestName =
  "flush" | "inspect" | "retryRejected" | "discardRejected" | "setConsent" | "eraseLocalData";
type ResponseTo<Method extends RequestName> = Awaited<ReturnType<Host[Method]>>;

export interface Tracking {
  settings: Settings;
  pages: PageViews;
  connection: HostConnection;
  queue: CallQueue;
  started: Promise<Outcome>;
  /** Records a page view of the present page; the fields given replace its own. */
  viewPage(given?: Partial<Page>): Promise<Outcome>;
  /** Requests from the host what is not a command, once `init()` has succeeded. */
  request<Method extends RequestName>(
    method: Method,
    args: () => Parameters<Host[Method]>,
    limitMs?: number,
    silenceMs?: number,
  ): Promise<ResponseTo<Method>>;
  erase(): Promise<Outcome>;
  end(): void;
}

/** Events that only pages get. All of them pass the window first. */
const PAGE_EVENTS = ["online", "offline", "visibilitychange", "pagehide", "pageshow"];

export const startTracking = (
  settings: Settings,
  source: LiveChatSource | null,
  onState: (state: TrackerState) => void,
  onFailure: () => void,
): Tracking => {
  const ended = new AbortController();
  const { signal } = ended;
  let lastState: TrackerState;
  let afterStartTimer: ReturnType<typeof setTimeout> | undefined;
  let later: AfterStart | undefined;
  let isErased = false;

  const pages = createPageViews(settings);
  const connection = createHostConnection(settings, (state, generation) => {
    queue.onState(state.host, generation);
    lastState = state;
    later?.onState(state);
    onState(state);
  });
  const queue = createCallQueue(connection, settings, pages.forgetEventPage);
  const liveChat =
    source &&
    followLiveChat(source, (change) => void outsideZones(() => queue.add({ type: "liveChat", ...change })));

  const pageView = (given?: Partial<Page>) => {
    const page = pages.present(given);
    return { type: "pageView" as const, ...(page && { page }) };
  };
  const viewPage = (given?: Partial<Page>): Promise<Outcome> => queue.add(pageView(given));

  const signalHost = (name: PageSignal): void =>
    void connection.request("signal", () => [name], CALL_TIMEOUT_MS).catch(() => {}); // the host finds out by itself

  /** Passes on to the host what only pages notice, and detaches from it while the page is away. */
  const onPageEvent = (event: Event): void => {
    const { type } = event;
    if (type === "pagehide") {
      queue.onHide();
      connection.detach();
    } else if (type === "pageshow") {
      queue.onShow();
      if (!(event as PageTransitionEvent).persisted) return;
      connection.reattach();
      if (settings.pageViews !== "manual" && pages.isRestored(event)) void viewPage();
    } else {
      const signal = type === "visibilitychange" ? documentText("visibilityState") : type;
      if (signal === "hidden") queue.save();
      signalHost(signal as PageSignal);
    }
  };

  const start = async (): Promise<Outcome> => {
    const at = Date.now();
    const calledAt = monotonicNow();
    const view =
      settings.pageViews === "manual"
        ? undefined
        : pages.ofLoad(() => ({ pageId: connection.pageId, command: queue.numbered(pageView(), at) }));
    const init = () => connection.init({ at, calledAt, liveChat: liveChat?.follow(), view });
    const response = liveChat
      ? liveChat
          .ready()
          .then((isReady): InitAnswer | Promise<InitAnswer> =>
            isReady && !signal.aborted ? init() : { ok: false, error: fail(4001).error },
          )
      : init();
    void connection.connect();
    // Once the host has something to do.
    for (const type of PAGE_EVENTS) window.addEventListener(type, onPageEvent, { signal, capture: true });
    if (settings.pageViews === "spa") pages.follow(() => void viewPage(), signal);

    const answer = await response;
    if (!answer.ok) return { success: false, error: answer.error };
    if (answer.rereadLiveChat) liveChat?.reread(answer.rereadLiveChat);
    if (view) pages.settleLoad(answer.view);
    queue.open();
    // In a task after `init()` has resolved, which waits for none of it. Should the page end before, the next one does it.
    afterStartTimer = setTimeout(() => {
      import("./after-start.js").then(
        ({ afterStart }) =>
          (later = afterStart(tracking, lastState, isErased, trustedScriptUrl, documentText, signal)),
        () => {}, // the site does not serve the file: journals wait for a page that has it
      );
    });
    return SUCCESS;
  };

  const begin = async (): Promise<Outcome> => {
    if (documentText("prerendering") === "true") {
      // Nobody sees the page yet, and perhaps never will: clocks and storage wait until somebody does.
      await new Promise<unknown>((shown) => {
        window.addEventListener("prerenderingchange", shown, { signal, capture: true });
        signal.addEventListener("abort", shown);
      });
      queue.restamp();
    }
    const outcome =
      (await within(
        CALL_TIMEOUT_MS,
        new Promise<Outcome>((resolve) => {
          const close = (): void => resolve(fail(2015));
          if (signal.aborted) return close();
          signal.addEventListener("abort", close);
          start().then(resolve, (thrown) => resolve(fail(2101, describe(thrown))));
        }),
      )) ?? fail(2101, "the host did not answer in time");
    if (!outcome.success) {
      if (!signal.aborted) onFailure();
      tracking.end();
    }
    return outcome;
  };

  const tracking: Tracking = {
    settings,
    pages,
    connection,
    queue,
    started: begin(),
    viewPage,

    request: async <Method extends RequestName>(
      method: Method,
      args: () => Parameters<Host[Method]>,
      limitMs = CALL_TIMEOUT_MS,
      silenceMs?: number,
    ): Promise<ResponseTo<Method>> => {
      const until = monotonicNow() + limitMs;
      const { success } = await tracking.started;
      if (!success || signal.aborted) return fail(2015) as ResponseTo<Method>;
      queue.flush();
      try {
        const response = await connection.request(method, args, until - monotonicNow(), silenceMs);
        return response ?? (fail(2101, "the host did not answer in time") as ResponseTo<Method>);
      } catch (thrown) {
        return fail(2101, describe(thrown)) as ResponseTo<Method>;
      }
    },

    erase: async () => {
      const outcome = await tracking.request("eraseLocalData", () => []);
      if (outcome.success) {
        isErased = true;
        later?.onErased();
      }
      return outcome;
    },

    end: () => {
      ended.abort();
      clearTimeout(afterStartTimer);
      liveChat?.stop();
      queue.refuse(fail(2015));
      queue.save();
      connection.close();
    },
  };
  return tracking;
};
