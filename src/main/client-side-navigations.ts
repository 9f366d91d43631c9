import type { PageLoad } from "./page-views.js";

const withoutFragment = (url: string): string => url.split("#", 1)[0]!;

/**
 * Tells each change of the document's URL, its fragment aside, with the URL that was left: a task later, when the page
 * has its new title.
 */
export const followNavigations = (
  pageLoad: PageLoad,
  record: (referrer: string) => void,
  signal: AbortSignal,
): void => {
  const look = (): void => {
    const url = withoutFragment(document.URL);
    const left = pageLoad.url;
    if (signal.aborted || url === left) return;
    pageLoad.url = url;
    setTimeout(() => {
      if (!signal.aborted) record(left ?? "");
    });
  };
  const { navigation } = globalThis as { navigation?: EventTarget };
  if (navigation) {
    navigation.addEventListener("currententrychange", look, { signal });
  } else {
    addEventListener("popstate", look, { signal });
    patchHistory("pushState", look, signal);
    patchHistory("replaceState", look, signal);
  }
  // The page may have gone on while this was loaded.
  look();
};

const patchHistory = (name: "pushState" | "replaceState", look: () => void, signal: AbortSignal): void => {
  const own = Object.getOwnPropertyDescriptor(history, name);
  const before = history[name];
  const patched: History["pushState"] = function (this: History, ...args) {
    before.apply(this, args);
    look();
  };
  history[name] = patched;
  signal.addEventListener("abort", () => {
    // Another's patch on top of ours stays, and ours below it only passes on.
    if (history[name] !== patched) return;
    if (own) Object.defineProperty(history, name, own);
    else delete (history as Partial<History>)[name];
  });
};
