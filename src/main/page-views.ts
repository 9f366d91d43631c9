import type { Page } from "../protocol/api.js";
import type { CommandAnswer, LoadView } from "../protocol/host.js";
import { documentText } from "./document-text.js";
import { check } from "./outcome.js";
import { pageLoadOf } from "./page-load.js";
import type { PageLoad } from "./page-load.js";
import type { Settings } from "./tracking-options.js";

/**
 * Without its fragment, and of a `data:` URL without what is the document itself. `document.URL` is `location.href`
 * without its check of the caller: 1 ms less for 1,000 calls in Chromium.
 */
export const presentUrl = (url = documentText("URL")): string => /^data:[^,]*|^[^#]*/.exec(url)![0];

/** The page of the custom events of one task, as long as its URL and title stay the same. */
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
   * @param given replaces the page's own fields
   */
  present(given?: Partial<Page>): Partial<Page> | undefined;
  /**
   * @param known - of another event of the same task, with which this one shares the site's redaction
   * @returns the same object while URL and title stay the same
   */
  ofEvent(known: PageOfEvents | undefined): PageOfEvents;
  /** The page view of this page load, unless it is recorded. All instances give it one id, so that it is stored once. */
  ofLoad(make: () => LoadView): LoadView | undefined;
  /** @param answer absent while opted out */
  settleLoad(answer: CommandAnswer | undefined): void;
  /** Whether no instance on the page has seen this return from the back-forward cache yet. */
  isRestored(event: Event): boolean;
  /** Where client-side navigations are followed: the URL of the last view. */
  load: PageLoad;
}

export const createPageViews = ({ hello, page: redact, pageViews }: Settings): PageViews => {
  const pageLoad = pageLoadOf(hello.namespace);
  if (pageViews === "spa") pageLoad.url = presentUrl();
  pageLoad.referrer ??= documentText("referrer");

  const present: PageViews["present"] = (given) => {
    const page = { url: presentUrl(), title: documentText("title"), referrer: pageLoad.referrer! };
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

    ofEvent: (known) => {
      const url = documentText("URL");
      const title = documentText("title");
      if (known?.url === url && known.title === title) return known;
      const page = present();
      return { url, title, sent: page && { url: page.url ?? "", title: page.title ?? "" } };
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

    load: pageLoad,
  };
};

const FIELDS = ["url", "title", "referrer"] as const;
