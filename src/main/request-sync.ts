/**
 * Requests a `sync` event, with which the browser wakes the service worker to deliver what waits when no tab is open. The
 * worker is registered once the page has loaded, for offline it could not be. A `sync` is requested when something waits
 * that cannot be delivered now, and when the page is hidden or goes with something waiting. The browser merges requests
 * under one tag.
 */
import { Workbox } from "workbox-window";
import type { TrackerState } from "../protocol/api.js";
import { documentText } from "./document-text.js";

/** Chromium's alone, and in no TypeScript library. */
interface SyncRegistration extends ServiceWorkerRegistration {
  sync: { register(tag: string): Promise<void> };
}

export interface BackgroundSync {
  /** Of the service worker, as the page may use it. */
  url: string;
  tag: string;
  /** Whether this page has calls that no host has decided. */
  hasUndecided: () => boolean;
  signal: AbortSignal;
}

/**
 * @returns a function that takes each new state
 * @throws where no service worker can be registered
 */
export const requestSync = async ({
  url,
  tag,
  hasUndecided,
  signal,
}: BackgroundSync): Promise<(state: TrackerState) => void> => {
  const registration = (await registered(url)) as SyncRegistration;
  let present: TrackerState | undefined;
  let isRequested = false;
  const request = (): void => {
    if (isRequested || present?.optedOut || signal.aborted) return;
    isRequested = true;
    // Forbidden by the person, or the worker was unregistered: the next visit delivers.
    registration.sync.register(tag).catch(() => (isRequested = false));
  };
  const onVisibilityChange = (): void => {
    if (documentText("visibilityState") !== "hidden" || !(present?.outbox.waiting || hasUndecided())) return;
    // The browser may have tried in vain and given up since.
    isRequested = false;
    request();
  };
  // At the window: elements can shadow the method on the document.
  addEventListener("visibilitychange", onVisibilityChange, { signal, capture: true });
  return (state) => {
    present = state;
    if (!state.outbox.waiting) isRequested = false;
    else if (!state.online || state.delivery.status === "retrying") request();
  };
};

/** Where the site has registered this script itself, its scope is kept: a second registration would run it twice. */
const registered = async (url: string): Promise<ServiceWorkerRegistration> => {
  // Where Trusted Types are required, what is given is an object.
  const { href } = new URL(url);
  const known = (await navigator.serviceWorker.getRegistrations()).find(({ active, waiting, installing }) =>
    [active, waiting, installing].some((worker) => worker?.scriptURL === href),
  );
  const registration = await new Workbox(url, known && { scope: known.scope }).register();
  if (!registration) throw new Error("no service workers here");
  // Browsers look for a new version where a page of the worker's scope is opened, and at registering not once more.
  if (!documentText("URL").startsWith(registration.scope)) registration.update().catch(() => {});
  await activated(registration);
  return registration;
};

/** Only a registration with an active worker takes a `sync`, and `ready` waits for one of the page's scope. */
const activated = ({ active, waiting, installing }: ServiceWorkerRegistration): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = waiting ?? installing;
    if (active || !worker) return resolve();
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new Error("the service worker could not be installed"));
    });
  });
