/** What one `init()` starts, until it fails or the instance is closed. It connects the parts of the page's side. */
import type { LiveChatSource, Outcome, Page, TrackerState } from "../protocol/api.js";
import { CALL_TIMEOUT_MS } from "../protocol/host.js";
import type { Host, PageSignal } from "../protocol/host.js";
import { monotonicNow } from "../protocol/monotonic.js";
import { within } from "./after.js";
import type { AfterStart } from "./after-start.js";
import { createCallQueue } from "./call-queue.js";
import type { CallQueue, NewPageView } from "./call-queue.js";
import { documentText } from "./document-text.js";
import { createHostConnection } from "./host/host-connection.js";
import type { HostConnection } from "./host/host-connection.js";
import { NO_ANSWER } from "./host/watchdog.js";
import { followLiveChat } from "./live-chat.js";
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

/** @param onEnd - `init()` failed, or `end()` was called */
export const startTracking = (
  settings: Settings,
  source: LiveChatSource | null,
  onState: (state: TrackerState) => void,
  onEnd: () => void,
): Tracking => {
  const ended = new AbortController();
  const { signal } = ended;
  const isCounted = settings.pageViews !== "manual";
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
  const queue = createCallQueue(connection, settings, pages);
  const liveChat =
    source &&
    followLiveChat(source, (change) => void outsideZones(() => queue.add({ type: "liveChat", ...change })));

  const pageView = (given?: Partial<Page>): NewPageView => ({ type: "pageView", page: pages.present(given) });
  const viewPage = (given?: Partial<Page>): Promise<Outcome> => queue.add(pageView(given));

  /** Events of the document and the window: all of them pass the window first. */
  const on = (type: string, act: (event: Event) => void): void =>
    window.addEventListener(type, act, { signal, capture: true });

  const signalHost = (name: PageSignal): void =>
    void connection.request("signal", () => [name], CALL_TIMEOUT_MS).catch(() => {}); // the host finds out by itself

  /** Passes on to the host what only pages notice, and detaches from it while the page is away. */
  const followPage = (): void => {
    for (const name of ["online", "offline"] as const) on(name, () => signalHost(name));
    on("visibilitychange", () => {
      const visibility = documentText("visibilityState");
      if (visibility === "hidden") queue.save();
      signalHost(visibility as PageSignal);
    });
    on("pagehide", () => {
      queue.setPageHidden(true);
      connection.detach();
    });
    on("pageshow", (event) => {
      queue.setPageHidden(false);
      if (!(event as PageTransitionEvent).persisted) return;
      connection.attach();
      if (isCounted && pages.isRestored(event)) void viewPage();
    });
  };

  const start = async (): Promise<Outcome> => {
    const at = Date.now();
    const calledAt = monotonicNow();
    const view = isCounted
      ? pages.ofLoad(() => ({ pageId: connection.pageId, command: queue.numbered(pageView(), at) }))
      : undefined;
    connection.connect();
    followPage();
    if (liveChat && (!(await liveChat.ready()) || signal.aborted)) return fail(4001);
    const answer = await connection.init({ at, calledAt, liveChat: liveChat?.follow(), view });
    if (!answer.success) return answer;
    if (answer.rereadLiveChat) liveChat?.reread(answer.rereadLiveChat);
    if (view) pages.settleLoad(answer.view);
    queue.open();
    // In a task after `init()` has resolved, which waits for none of it. Should the page end before, the next one does it.
    afterStartTimer = setTimeout(() => {
      import("./after-start.js").then(
        (chunk) => (later = chunk.afterStart(tracking, lastState, isErased, signal)),
        () => {}, // the site does not serve the file: journals wait for a page that has it, and page loads still count
      );
    });
    return SUCCESS;
  };

  const begin = async (): Promise<Outcome> => {
    if (documentText("prerendering") === "true") {
      // Nobody sees the page yet, and perhaps never will: clocks and storage wait until somebody does.
      await new Promise<unknown>((shown) => on("prerenderingchange", shown));
      queue.restamp();
    }
    const outcome = start().catch((thrown: unknown) => fail(2101, describe(thrown)));
    return (await within(CALL_TIMEOUT_MS, outcome)) ?? fail(2101, NO_ANSWER);
  };

  const end = (): void => {
    ended.abort();
    clearTimeout(afterStartTimer);
    liveChat?.stop();
    queue.end(fail(2015));
    connection.close();
    onEnd();
  };

  const started = new Promise<Outcome>((resolve) => {
    signal.addEventListener("abort", () => resolve(fail(2015)));
    const settle = (outcome: Outcome): void => {
      resolve(outcome);
      if (!outcome.success && !signal.aborted) end();
    };
    void begin().then(settle);
  });

  const tracking: Tracking = {
    settings,
    pages,
    connection,
    queue,
    started,
    viewPage,

    request: async <Method extends RequestName>(
      method: Method,
      args: () => Parameters<Host[Method]>,
      limitMs = CALL_TIMEOUT_MS,
      silenceMs?: number,
    ): Promise<ResponseTo<Method>> => {
      const until = monotonicNow() + limitMs;
      const { success } = await started;
      if (!success || signal.aborted) return fail(2015) as ResponseTo<Method>;
      queue.flush();
      try {
        return await connection.request(method, args, until - monotonicNow(), silenceMs);
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

    end,
  };
  return tracking;
};
