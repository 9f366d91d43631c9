import type { Outcome, Page } from "../protocol/api.js";

/** What all instances on one page load have done for one namespace, other copies of the package included. */
interface PageLoad {
  /** The page view of the load itself. */
  first?: Promise<Outcome> | undefined;
  /** The URL of the last page view that was recorded by itself. */
  url: string;
  /** When the page last came back from the back-forward cache, by the event's own time. */
  restored?: number;
}

const pageLoadOf = (namespace: string): PageLoad => {
  const shared = globalThis as unknown as Record<symbol, Map<string, PageLoad> | undefined>;
  const pageLoads = (shared[Symbol.for("people-tracking-sdk")] ??= new Map<string, PageLoad>());
  let pageLoad = pageLoads.get(namespace);
  if (!pageLoad) pageLoads.set(namespace, (pageLoad = { url: "" }));
  return pageLoad;
};

const withoutFragment = (url: string): string => url.split("#", 1)[0]!;

const presentUrl = (): string => withoutFragment(location.href);

type Redact = ((page: Page) => Page | null) | undefined;

export class PageViews {
  readonly #redact: Redact;
  readonly #pageLoad: PageLoad;
  /** The page that led here: at a client-side navigation, the one before. */
  #referrer = document.referrer;
  /** Redacted once for all events of one task, and one object to `postMessage`, which then writes it once. */
  #eventPage: { url: string; title: string; sent: TrackPage } | undefined;

  constructor(namespace: string, redact: Redact) {
    this.#redact = redact;
    this.#pageLoad = pageLoadOf(namespace);
  }

  /**
   * What is sent of the page, after the site's redaction.
   *
   * @param given replaces what the page says of itself
   */
  present(given: Partial<Page> = {}): Partial<Page> | undefined {
    const url =
      given.url === undefined ? presentUrl() : withoutFragment(new URL(given.url, document.baseURI).href);
    return this.#redacted({ title: document.title, referrer: this.#referrer, ...given, url });
  }

  /** What a custom event tells of its page. */
  ofEvent(): TrackPage {
    const url = presentUrl();
    const { title } = document;
    if (this.#eventPage?.url !== url || this.#eventPage.title !== title) {
      const page = this.#redacted({ url, title, referrer: this.#referrer });
      this.#eventPage = { url, title, sent: page && { url: page.url ?? "", title: page.title ?? "" } };
    }
    return this.#eventPage.sent;
  }

  /** The next event asks the site's redaction again. */
  forgetEventPage(): void {
    this.#eventPage = undefined;
  }

  /** Records the page view of this page load, unless another instance has. */
  recordFirst(record: () => Promise<Outcome>): Promise<Outcome> {
    const pageLoad = this.#pageLoad;
    return (pageLoad.first ??= record().then((outcome) => {
      if (!outcome.success) pageLoad.first = undefined;
      return outcome;
    }));
  }

  /** From here on tells of page views that happen by themselves. */
  follow(spa: boolean, record: () => void, signal: AbortSignal): void {
    this.#pageLoad.url = presentUrl();
    addEventListener(
      "pageshow",
      ({ persisted, timeStamp }) => {
        if (!persisted || this.#pageLoad.restored === timeStamp) return;
        this.#pageLoad.restored = timeStamp;
        record();
      },
      { signal },
    );
    if (spa) {
      followUrl(() => {
        const url = presentUrl();
        if (url === this.#pageLoad.url) return;
        const referrer = this.#pageLoad.url;
        this.#pageLoad.url = url;
        // A task later the page has its new title.
        setTimeout(() => {
          if (signal.aborted) return;
          this.#referrer = referrer;
          record();
        });
      }, signal);
    }
  }

  #redacted(page: Page): Partial<Page> | undefined {
    if (!this.#redact) return page;
    try {
      const { url, title, referrer } = this.#redact(page) as Page;
      const sent: Partial<Page> = {};
      if (typeof url === "string") sent.url = url;
      if (typeof title === "string") sent.title = title;
      if (typeof referrer === "string") sent.referrer = referrer;
      return sent;
    } catch {
      return undefined; // `null`, or a redaction that failed: nothing may leak
    }
  }
}

type TrackPage = { url: string; title: string } | undefined;

/** Calls at each navigation inside the document, whether or not it changed the URL. */
const followUrl = (onNavigation: () => void, signal: AbortSignal): void => {
  const { navigation } = globalThis as { navigation?: EventTarget };
  if (navigation) {
    navigation.addEventListener("currententrychange", onNavigation, { signal });
    return;
  }
  addEventListener("popstate", onNavigation, { signal });
  for (const name of ["pushState", "replaceState"] as const) {
    const own = Object.getOwnPropertyDescriptor(history, name);
    const before = history[name];
    const patched: History["pushState"] = function (this: History, ...args) {
      before.apply(this, args);
      if (!signal.aborted) onNavigation();
    };
    history[name] = patched;
    signal.addEventListener("abort", () => {
      // Another's patch on top of ours stays, and ours below it only passes on.
      if (history[name] !== patched) return;
      if (own) Object.defineProperty(history, name, own);
      else delete (history as Partial<History>)[name];
    });
  }
};
