/** Page views inside one document. The URL is read when the task that changed it has ended, as the visitor sees it. */
import type { PageLoad } from "./page-load.js";
import type { ClientSideViews } from "./tracking-options.js";
import { presentUrl } from "./page-views.js";
import { outsideZones } from "./zones.js";

export interface Navigations {
  pageLoad: PageLoad;
  ignoreSearch: ClientSideViews["ignoreSearch"];
  /** Is called at each view. */
  record: () => void;
  signal: AbortSignal;
}

export const followNavigations = ({ pageLoad, ignoreSearch, record, signal }: Navigations): void => {
  let isDue = false;
  /** Routers and filters change the URL many times in a task, and may end where they began. */
  const look = (): void => {
    if (isDue || signal.aborted) return;
    isDue = true;
    // A task later the page also has its new title.
    setTimeout(() => {
      isDue = false;
      const url = presentUrl();
      const previousUrl = pageLoad.url ?? "";
      if (signal.aborted || isSameView(url, previousUrl, ignoreSearch)) return;
      // Shared by all instances on the page: the others see no difference any more.
      pageLoad.url = url;
      pageLoad.referrer = previousUrl;
      record();
    });
  };
  const { navigation } = globalThis as { navigation?: EventTarget };
  if (isNavigation(navigation)) {
    navigation.addEventListener("currententrychange", look, { signal });
  } else {
    // Called by the page, perhaps in its zone.
    const lookOutside = (): void => outsideZones(look);
    addEventListener("popstate", look, { signal });
    patchHistory("pushState", lookOutside, signal);
    patchHistory("replaceState", lookOutside, signal);
  }
  // The page may have gone on while this was loaded.
  look();
};

const isSameView = (url: string, other: string, ignored: Navigations["ignoreSearch"]): boolean =>
  url === other || (!!ignored && viewOf(url, ignored) === viewOf(other, ignored));

const viewOf = (url: string, ignored: true | string[]): string => {
  const [path, search] = url.split(/\?(.*)/s, 2);
  if (ignored === true) return path!;
  const parameters = new URLSearchParams(search);
  for (const name of ignored) parameters.delete(name);
  return `${path}?${parameters}`;
};

/** By the name that the platform gives it: `var navigation = …` and `<nav id="navigation">` take the variable's. */
const isNavigation = (given: unknown): given is EventTarget =>
  Object.prototype.toString.call(given) === "[object Navigation]";

const patchHistory = (name: "pushState" | "replaceState", look: () => void, signal: AbortSignal): void => {
  // Not the bare name, which a script's `const history = …` takes.
  const { history } = window;
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
