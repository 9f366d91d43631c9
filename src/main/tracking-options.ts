import type { HostKind, LiveChatSource, Page } from "../protocol/api.js";
import { PROTOCOL_VERSION } from "../protocol/host.js";
import type { PageHello } from "../protocol/host.js";
import { toJson } from "../protocol/json.js";
import { sharedName } from "../protocol/names.js";
import { SECOND, SESSION_TIMEOUT_MS } from "../protocol/wire.js";
import { documentText } from "./document-text.js";
import { hash } from "./names.js";
import { check } from "./outcome.js";

/** How a site sets the tracker up. All are optional; `init()` answers 2102 for a value that cannot be used. */
export interface TrackingOptions {
  /**
   * The People service: an `http(s)` URL, relative ones on the page's origin. Default: `/people`. A page without an
   * origin of its own (a sandboxed frame, `data:`, `file:`) needs an absolute one; most keep all in memory.
   */
  endpoint?: string | URL;
  /** Default: `globalThis.LiveChat`. `null`: a site without Live Chat. */
  liveChat?: LiveChatSource | null;
  /**
   * Part of the names of all that is kept in the browser. Default: 16 hexadecimal digits hashed from endpoint and key;
   * set it to keep visitor, session and outbox when the key changes.
   */
  namespace?: string;
  /**
   * When page views are recorded: at each page load (the default), also at client-side navigations (`spa`), or never by
   * itself. A task that has changed the URL makes one view at its end, unless the URL without its fragment is that of
   * the last view; navigations before `init()` has resolved make one view together. `ignoreSearch` names the parameters
   * that do not make another view; the URL is sent whole all the same.
   *
   * @example
   * pageViews: { spa: true, ignoreSearch: ["q", "page"] }
   */
  pageViews?: "load" | "spa" | "manual" | ClientSideViews;
  /** Redacts what is sent of a page; `null` sends nothing of it. One that throws counts as `null`. */
  page?: (page: Page) => Page | null;
  /** Where the tracker runs. Default `auto`: the first of shared, dedicated, page that the browser allows. */
  host?: "auto" | HostKind;
  /** Where the site serves the package's `dist/worker.js` itself: for bundlers that do not find workers. */
  workerUrl?: string | URL;
  /** Where the site serves the tracker's service worker; without it there is no background sync. */
  serviceWorkerUrl?: string | URL;
  /** `relaxed` (the default) survives a killed browser, `strict` also a power cut. */
  durability?: "relaxed" | "strict";
  /** A session ends this long after its last activity, in milliseconds. Default: 30 minutes. */
  sessionTimeoutMs?: number;
  /** How many operations may wait, the rejected ones included; beyond, calls are refused. Default: 100,000. */
  maxWaiting?: number;
  /**
   * How long events wait for others, so that they travel together, in milliseconds, at most 99,999. What somebody waits
   * for (a merge, a person's update, `flush()`) does not wait, nor does anything while no page of the site is seen.
   * Default: 1,000.
   */
  deliveryDelayMs?: number;
  /** Whether a browser that sends Global Privacy Control counts as opted out, until `optIn()`. Default: `false`. */
  respectGlobalPrivacyControl?: boolean;
}

/** Page views at page loads and at client-side navigations. */
export interface ClientSideViews {
  /** As with the text `spa`. */
  spa: true;
  /** `true`: views that differ only after the `?` are one. A list: in these parameters only. Default: `false`. */
  ignoreSearch?: boolean | string[];
}

const DEFAULT_MAX_WAITING = 100_000;

export interface Settings {
  /** The prefix of all names in the browser that belong to this namespace. */
  name: string;
  /** The part of the page's hello that is the same for every host. */
  hello: Omit<PageHello, "online">;
  hosts: readonly HostKind[];
  workerUrl: string | undefined;
  serviceWorkerUrl: string | undefined;
  pageViews: "load" | "spa" | "manual";
  ignoreSearch: boolean | string[] | undefined;
  page: ((page: Page) => Page | null) | undefined;
  /** They hold for the calls of this tab. */
  limits: { sessionTimeoutMs: number; maxWaiting: number; deliveryDelayMs: number };
}

/**
 * Reads what the page itself needs to connect to a host. The host checks the rest, which travels as it is:
 * `worker/check-hello.ts`.
 *
 * @param apiKey without the white space that was pasted around it
 * @throws what is wrong with them
 */
export const readOptions = (options: TrackingOptions, apiKey: string): Settings => {
  const {
    page,
    host = "auto",
    pageViews = "load",
    durability = "relaxed",
    sessionTimeoutMs = SESSION_TIMEOUT_MS,
    maxWaiting = DEFAULT_MAX_WAITING,
    deliveryDelayMs = SECOND,
  } = options;
  check(!page || typeof page === "function", "options.page must be a function");
  const { spa, ignoreSearch } = Object(pageViews) as Partial<ClientSideViews>;
  const url = parseUrl("endpoint", options.endpoint ?? "/people", pageOrigin());
  const endpoint = (url.origin + url.pathname).replace(/\/+$/, "");
  const namespace = options.namespace ?? hash(`${endpoint} ${apiKey}`);
  const fileUrl = (name: "workerUrl" | "serviceWorkerUrl"): string | undefined =>
    options[name] && parseUrl(name, options[name], documentText("baseURI")).href;
  return {
    name: sharedName(namespace),
    hello: {
      protocol: PROTOCOL_VERSION,
      namespace,
      endpoint,
      apiKey,
      options: toJson({ pageViews, host, durability, sessionTimeoutMs, maxWaiting, deliveryDelayMs }),
      globalPrivacyControl:
        !!options.respectGlobalPrivacyControl &&
        !!(navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl,
    },
    hosts: host === "auto" ? ["shared", "dedicated", "page"] : [host],
    workerUrl: fileUrl("workerUrl"),
    serviceWorkerUrl: fileUrl("serviceWorkerUrl"),
    pageViews: spa ? "spa" : (pageViews as Settings["pageViews"]),
    ignoreSearch,
    page,
    limits: { sessionTimeoutMs, maxWaiting, deliveryDelayMs },
  };
};

/**
 * The page's origin; `undefined` if it is opaque. An `about:srcdoc` frame has its parent's, which only `window.origin`
 * knows. Elsewhere it is `location.origin`, for scripts may declare a variable `origin`.
 */
const pageOrigin = (): string | undefined => {
  const { origin } = [window.origin, location.origin].includes("null") ? window : location;
  return origin === "null" ? undefined : origin;
};

const parseUrl = (name: string, url: string | URL, base: string | undefined): URL => {
  try {
    return new URL(url, base);
  } catch {
    throw new TypeError(
      `options.${name} must be a URL${base ? "" : ", and absolute: this page has no origin"}`,
    );
  }
};
