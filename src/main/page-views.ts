import type { Page } from "../protocol/api.js";
import type { CommandAnswer, LoadView } from "../protocol/host.js";
import { check } from "./outcome.js";
import type { Settings } from "./tracking-options.js";

/** What all instances on one page load have done for one namespace, other copies of the package included. */
export interface PageLoad {
  /** The page view of the load itself, while it is being recorded; `null` once it is. */
  view?: LoadView | null | undefined;
  /** The URL of the last client-side navigation. */
  url?: string;
  /** When the page last came back from the back-forward cache, by the event's own time. */
  restored?: number;
}

const pageLoadOf = (namespace: string): PageLoad => {
  const shared = globalThis as unknown as Record<symbol, Record<string, PageLoad> | undefined>;
  return ((shared[Symbol.for("people-tracking-sdk")] ??= {})[namespace] ??= {});
};

/** `document.URL` is `location.href` without its check of the caller: 1 ms less for 1,000 calls in Chromium. */
const presentUrl = (url = document.URL): string => url.split("#", 1)[0]!;

type SentPage = { url: string; title: string } | undefined;

export class PageViews {
  readonly #redact: Settings["page"];
  readonly #pageLoad: PageLoad;
  /** The page that led here: at a client-side navigation, the one before. */
  #referrer = document.referrer;
  /** One object for all events of one task, which `postMessage` writes but once. */
  #eventPage: { url: string; title: string; sent: SentPage } | undefined;

  constructor({ hello, page }: Settings) {
    this.#redact = page;
    this.#pageLoad = pageLoadOf(hello.namespace);
  }

  /**
   * What is sent of the page, after the site's redaction.
   *
   * @param given replaces what the page says of itself
   */
  present(given?: Partial<Page>): Partial<Page> | undefined {
    const page = { url: presentUrl(), title: document.title, referrer: this.#referrer };
    for (const name of FIELDS) {
      const value = given?.[name];
      check(value === undefined || typeof value === "string", `page.${name} must be a string`);
      page[name] = value ?? page[name];
    }
    if (given?.url !== undefined) page.url = presentUrl(new URL(given.url, document.baseURI).href);
    if (!this.#redact) return page;
    try {
      const redacted = this.#redact(page);
      const sent: Partial<Page> = {};
      for (const name of FIELDS) {
        if (typeof redacted![name] === "string") sent[name] = redacted![name];
      }
      return sent;
    } catch {
      return undefined; // `null`, or a redaction that failed: nothing may leak
    }
  }

  /** What a custom event tells of its page. */
  ofEvent(): SentPage {
    const { URL: url, title } = document;
    if (this.#eventPage?.url !== url || this.#eventPage.title !== title) {
      const page = this.present();
      this.#eventPage = { url, title, sent: page && { url: page.url ?? "", title: page.title ?? "" } };
    }
    return this.#eventPage.sent;
  }

  /** The next event asks the site's redaction again. */
  forgetEventPage(): void {
    if (this.#redact) this.#eventPage = undefined;
  }

  /** The page view of this page load, unless it is recorded. All instances give it under one id: it counts once. */
  ofLoad(make: () => LoadView): LoadView | undefined {
    const pageLoad = this.#pageLoad;
    if (pageLoad.view !== null) pageLoad.view ??= make();
    return pageLoad.view ?? undefined;
  }

  /** @param answer absent while opted out */
  settleLoad(answer: CommandAnswer | undefined): void {
    const error = answer?.error;
    if (error) console.warn(error.message);
    // Another instance may have recorded it meanwhile.
    if (this.#pageLoad.view !== null) this.#pageLoad.view = answer && !error ? null : undefined;
  }

  /** Whether this return from the back-forward cache is news to all instances on the page. */
  isRestored({ timeStamp }: Event): boolean {
    const isNews = this.#pageLoad.restored !== timeStamp;
    this.#pageLoad.restored = timeStamp;
    return isNews;
  }

  /** From here on has each client-side navigation recorded. */
  follow(record: () => void, signal: AbortSignal): void {
    const pageLoad = this.#pageLoad;
    pageLoad.url = presentUrl();
    // Few sites need it, and none before its first navigation.
    import("./client-side-navigations.js").then(
      ({ followNavigations }) =>
        followNavigations(
          pageLoad,
          (referrer) => {
            this.#referrer = referrer;
            record();
          },
          signal,
        ),
      () => {}, // the site does not serve the file: page loads still count
    );
  }
}

const FIELDS = ["url", "title", "referrer"] as const;
