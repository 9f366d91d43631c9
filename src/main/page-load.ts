import type { LoadView } from "../protocol/host.js";

/** What all instances on one page load share for one namespace, other copies of the package included. */
export interface PageLoad {
  /** The page view of the load itself, while it is being recorded; `null` once it is. */
  view?: LoadView | null | undefined;
  /** The URL viewed last, where client-side navigations are followed. */
  url?: string;
  /** The page that led here: at a client-side navigation, the one before. */
  referrer?: string;
  /** When the page last came back from the back-forward cache, by the event's own time. */
  restored?: number;
}

type PageLoads = Record<string, PageLoad>;

export const pageLoadOf = (namespace: string): PageLoad => {
  const shared = globalThis as unknown as Record<symbol, PageLoads>;
  // Without a prototype: a namespace may have any name.
  return ((shared[Symbol.for("people-tracking-sdk")] ??= Object.create(null) as PageLoads)[namespace] ??= {});
};
