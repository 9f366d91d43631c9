import type { Page } from "../protocol/api.js";
import type { CommandAnswer, LoadView } from "../protocol/host.js";
import { documentText } from "./document-text.js";
import { check } from "./outcome.js";
import type { Settings } from "./tracking-options.js";
import { outsideZones } from "./zones.js";

/** What all instances on one page load have done for one namespace, other copies of the package included. */
export interface PageLoad {
  /** The page view of the load itself, while it is being recorded; `null` once it is. */
  view?: LoadView | null | undefined;
  /** The URL viewed last, where client-side navigations are followed. */
  url?: string;
  /** When the page last came back from the back-forward cache, by the event's own time. */
  restored?: number;
}

type PageLoads = Record<string, PageLoad>;

const pageLoadOf = (namespace: string): PageLoad => {
  const shared = globalThis as unknown as Record<symbol, PageLoads>;
  // Without a prototype: a namespace may have any name.
  return ((shared[Symbol.for("people-tracking-sdk")] ??= Object.create(null) as PageLoads)[namespace] ??= {});
};

/**
 * Without its fragment, and of a `data:` URL without what is the document itself. `document.URL` is `location.href`
 * without its check of the caller: 1 ms less for 1,000 calls in Chromium.
 */
const presentUrl = (url = documentText("URL")): string => /^data:[^,]*|^[^#]*/.exec(url)![0];

/** What custom events tell of their page, as long as its URL and title stay the same. */
export interface PageOfEvents {
  url: string;
  title: string;
  /** After the site's redaction; absent where that left nothing. */
  sent: { url: string; title: string } | undefined;
}

export interface PageViews {
  /**
   * What is sent of the page, after the site's redaction.
   *
   * @param given replaces what the page says of itself
   */
  present(given?: Partial<Page>): Partial<Page> | undefined;
  /** The same object while nothing changes. */
  ofEvent(): PageOfEvents;
  /** The next event asks the site's redaction again. */
  forgetEventPage: () => void;
  /** The page view of this page load, unless it is recorded. All instances give it under one id: it counts once. */
  ofLoad(make: () => LoadView): LoadView | undefined;
  /** @param answer absent while opted out */
  settleLoad(answer: CommandAnswer | undefined): void;
  /** Whether this return from the back-forward cache is news to all instances on the page. */
  isRestored(event: Event): boolean;
  /** From here on has each client-side navigation recorded. */
  follow(record: () => void, signal: AbortSignal): void;
}

export const createPageViews = ({ hello, page: redact, ignoreSearch }: Settings): PageViews => {
  const pageLoad = pageLoadOf(hello.namespace);
  /** The page that led here: at a client-side navigation, the one before. */
  let referrer = documentText("referrer");
  let eventPage: PageOfEvents | undefined;

  const present: PageViews["present"] = (given) => {
    const page = { url: presentUrl(), title: documentText("title"), referrer };
    for (const name of FIELDS) {
      const value = given?.[name];
      check(value === undefined || typeof value === "string", `page.${name} must be a string`);
      page[name] = value ?? page[name];
    }
    if (given?.url !== undefined) page.url = presentUrl(new URL(given.url, documentText("baseURI")).href);
    if (!redact) return page;
    try {
      const redacted = redact(page);
      const sent: Partial<Page> = {};
      for (const name of FIELDS) {
        if (typeof redacted![name] === "string") sent[name] = redacted![name];
      }
      return sent;
    } catch {
      return undefined; // `null`, or a redaction that failed: nothing may leak
    }
  };

  return {
    present,

    ofEvent: () => {
      const url = documentText("URL");
      const title = documentText("title");
      if (eventPage?.url !== url || eventPage.title !== title) {
        const page = present();
        eventPage = { url, title, sent: page && { url: page.url ?? "", title: page.title ?? "" } };
      }
      return eventPage;
    },

    forgetEventPage: () => {
      if (redact) eventPage = undefined;
    },

    ofLoad: (make) => {
      if (pageLoad.view !== null) pageLoad.view ??= make();
      return pageLoad.view ?? undefined;
    },

    settleLoad: (answer) => {
      const error = answer?.error;
      if (error) console.warn?.(error.message);
      // Another instance may have recorded it meanwhile.
      if (pageLoad.view !== null) pageLoad.view = answer && !error ? null : undefined;
    },

    isRestored: ({ timeStamp }) => {
      const isNews = pageLoad.restored !== timeStamp;
      pageLoad.restored = timeStamp;
      return isNews;
    },

    follow: (record, signal) => {
      pageLoad.url = presentUrl();
      // Few sites need it, and none before its first navigation.
      import("./client-side-navigations.js").then(
        ({ followNavigations }) =>
          followNavigations({
            pageLoad,
            ignoreSearch,
            presentUrl,
            outsideZones,
            record: (left) => {
              referrer = left;
              record();
            },
            signal,
          }),
        () => {}, // the site does not serve the file: page loads still count
      );
    },
  };
};

const FIELDS = ["url", "title", "referrer"] as const;
