/**
 * Has the browser wake the service worker for what waits when no tab is there to send it. The worker is registered once
 * the page has loaded, for offline it could not be; a `sync` is asked for when something waits that cannot be delivered
 * now, and when the page is hidden or goes with something waiting. The browser merges what is asked under one tag.
 */
import { Workbox } from "workbox-window";
import type { TrackerState } from "../protocol/api.js";
import type { documentText } from "./document-text.js";

/** Chromium's alone, and in no TypeScript library. */
interface SyncRegistration extends ServiceWorkerRegistration {
  sync: { register(tag: string): Promise<void> };
}

export interface BackgroundSync {
  /** Of the service worker, as the page may use it. */
  url: string;
  tag: string;
  /** Calls of this page of which the host has not told yet. */
  hasUndecided: () => boolean;
  /** Of this page. */
  read: typeof documentText;
  signal: AbortSignal;
}

/**
 * @returns to be told each state
 * @throws where no service worker can be registered
 */
export const askForSync = async ({
  url,
  tag,
  hasUndecided,
  read,
  signal,
}: BackgroundSync): Promise<(state: TrackerState) => void> => {
  const registration = (await registered(url, read)) as SyncRegistration;
  let present: TrackerState | undefined;
  let isAsked = false;
  const ask = (): void => {
    if (isAsked || present?.optedOut || signal.aborted) return;
    isAsked = true;
    // Forbidden by the person, or the worker was unregistered: the next visit delivers.
    registration.sync.register(tag).catch(() => (isAsked = false));
  };
  const leave = (): void => {
    if (read("visibilityState") !== "hidden" || !(present?.outbox.waiting || hasUndecided())) return;
    // The browser may have tried in vain and given up since.
    isAsked = false;
    ask();
  };
  // At the window: elements can shadow the method on the document.
  addEventListener("visibilitychange", leave, { signal, capture: true });
  return (state) => {
    present = state;
    if (!state.outbox.waiting) isAsked = false;
    else if (!state.online || state.delivery.status === "retrying") ask();
  };
};

/** Where the site has registered this script itself, its own scope holds: a second one would run it twice. */
const registered = async (url: string, read: BackgroundSync["read"]): Promise<ServiceWorkerRegistration> => {
  // Where Trusted Types are required, what is given is an object.
  const { href } = new URL(url);
  const known = (await navigator.serviceWorker.getRegistrations()).find(({ active, waiting, installing }) =>
    [active, waiting, installing].some((worker) => worker?.scriptURL === href),
  );
  const registration = await new Workbox(url, known && { scope: known.scope }).register();
  if (!registration) throw new Error("no service workers here");
  // Browsers look for a new version where a page of the worker's scope is opened, and at registering not once more.
  if (!read("URL").startsWith(registration.scope)) registration.update().catch(() => {});
  await activated(registration);
  return registration;
};

/** `sync` can be asked of a registration with an active worker alone, and `ready` waits for one of the page's scope. */
const activated = ({ active, waiting, installing }: ServiceWorkerRegistration): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = waiting ?? installing;
    if (active || !worker) return resolve();
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the service worker could not be installed"));
    });
  });
