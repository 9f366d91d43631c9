import type { HostKind, Page } from "../protocol/api.js";
import { SESSION_TIMEOUT_MS } from "../protocol/wire.js";
import { hash } from "./namespace.js";
import type { LiveChatSource } from "./live-chat.js";
import { describe } from "./outcome.js";

/** How a site sets the tracker up. All are optional; `init()` answers 2102 for a value that cannot be used. */
export interface TrackingOptions {
  /** The People service: an `http(s)` URL, relative ones on the page's origin. Default: `/people`. */
  endpoint?: string | URL;
  /** Default: `globalThis.LiveChat`. `null`: a site without Live Chat. */
  liveChat?: LiveChatSource | null;
  /**
   * Part of the names of all that is kept in the browser. Default: 16 hexadecimal digits hashed from endpoint and key;
   * set it to keep visitor, session and outbox when the key changes.
   */
  namespace?: string;
  /** When page views are recorded: at each page load (the default), also at client-side navigations, or never by itself. */
  pageViews?: "load" | "spa" | "manual";
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
  /** Whether a browser that sends Global Privacy Control counts as opted out, until `optIn()`. Default: `false`. */
  respectGlobalPrivacyControl?: boolean;
}

const CHOICES = {
  pageViews: ["load", "spa", "manual"],
  host: ["auto", "shared", "dedicated", "page"],
  durability: ["relaxed", "strict"],
} as const;

const DEFAULT_MAX_WAITING = 100_000;

export interface Settings {
  apiKey: string;
  endpoint: string;
  namespace: string;
  /** In the name of every host: tabs that differ in it do not share one. */
  identity: string;
  hosts: readonly HostKind[];
  workerUrl: string | undefined;
  durability: "relaxed" | "strict";
  pageViews: "load" | "spa" | "manual";
  page: ((page: Page) => Page | null) | undefined;
  sessionTimeoutMs: number;
  maxWaiting: number;
  globalPrivacyControl: boolean;
}

/** @returns a string: what is wrong with them */
export const readOptions = (options: TrackingOptions, apiKey: string): Settings | string => {
  if (!apiKey || typeof apiKey !== "string") return "apiKey must be a non-empty string";
  for (const [name, choices] of Object.entries(CHOICES)) {
    const choice = options[name as keyof typeof CHOICES];
    if (choice !== undefined && !(choices as readonly string[]).includes(choice)) {
      return `options.${name} must be one of ${choices.join(", ")}`;
    }
  }
  const {
    sessionTimeoutMs = SESSION_TIMEOUT_MS,
    maxWaiting = DEFAULT_MAX_WAITING,
    page,
    host = "auto",
  } = options;
  for (const [name, value] of Object.entries({ sessionTimeoutMs, maxWaiting })) {
    if (!(Number.isFinite(value) && value > 0)) return `options.${name} must be a positive number`;
  }
  if (page !== undefined && typeof page !== "function") return "options.page must be a function";

  let endpoint: string;
  let workerUrl: string | undefined;
  try {
    // `self.origin` is the parent's in an `about:srcdoc` frame, where `location` has none.
    const url = new URL(options.endpoint ?? "/people", self.origin);
    if (!/^https?:$/.test(url.protocol)) return "options.endpoint must be an http(s) URL";
    endpoint = (url.origin + url.pathname).replace(/\/+$/, "");
    workerUrl = options.workerUrl && new URL(options.workerUrl, document.baseURI).href;
  } catch (thrown) {
    return `options.endpoint and options.workerUrl must be URLs: ${describe(thrown)}`;
  }

  const durability = options.durability ?? "relaxed";
  const namespace = options.namespace ?? hash(`${endpoint} ${apiKey}`);
  if (!namespace || typeof namespace !== "string") return "options.namespace must be a non-empty string";
  return {
    apiKey,
    endpoint,
    namespace,
    identity: hash([endpoint, apiKey, durability].join(" ")),
    hosts: host === "auto" ? ["shared", "dedicated", "page"] : [host],
    workerUrl,
    durability,
    pageViews: options.pageViews ?? "load",
    page,
    sessionTimeoutMs,
    maxWaiting,
    globalPrivacyControl:
      !!options.respectGlobalPrivacyControl &&
      (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true,
  };
};
