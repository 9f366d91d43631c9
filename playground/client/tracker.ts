import { signal } from "@preact/signals";
import { PeopleTrackingSDK, type Outcome, type OutboxRow, type TrackerState } from "people-tracking-sdk";

import { DEMO_TRACKING_KEY } from "../demo-key.js";
import { liveChat } from "./live-chat/live-chat.js";

/** The shop's events, as `demo-server/shop-definitions.ts` defines them on the service. */
export type ShopEvents = {
  /** The specification's own example. */
  action: { name: string; label?: string };
  productViewed: { sku: string; name: string; price: number };
  addedToBag: { sku: string; name: string; price: number; quantity: number };
  removedFromBag: { sku: string };
  searched: { query: string; results: number };
  orderPlaced: { total: number; lines: { sku: string; quantity: number }[] };
  gust: { number: number };
};

export const sdk = new PeopleTrackingSDK<ShopEvents>({
  liveChat,
  pageViews: "spa",
  serviceWorkerUrl: "/service-worker.js",
});

export const state = signal<TrackerState | null>(null);
export const startError = signal<string | null>(null);

/** The page's last call of the SDK as code, and its outcome. */
export interface Call {
  code: string;
  outcome: Outcome<unknown> | "pending";
}
export const lastCall = signal<Call | null>(null);

/** Makes one call of the SDK and shows it. */
export async function show<T>(code: string, run: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  const call: Call = { code, outcome: "pending" };
  lastCall.value = call;
  const outcome = await run();
  // A later call may be shown by now, but a failure is shown in any case.
  if (lastCall.value === call || !outcome.success) lastCall.value = { code, outcome };
  return outcome;
}

export const track = <E extends keyof ShopEvents>(eventId: E, properties: ShopEvents[E]) =>
  show(`track(${JSON.stringify(eventId)}, ${JSON.stringify(properties)})`, () =>
    sdk.track(eventId, properties),
  );

export async function startTracking(): Promise<void> {
  sdk.subscribe((next) => {
    state.value = next;
    void refreshRows();
  });
  const outcome = await show("init(apiKey)", () => sdk.init(DEMO_TRACKING_KEY));
  startError.value = outcome.success ? null : outcome.error.message;
}

export const SHOWN_ROWS = 50;
export const rejectedRows = signal<OutboxRow[]>([]);
export const waitingRows = signal<OutboxRow[]>([]);

let refreshing = false;
let refreshAgain = false;

/** Reads one at a time, and once more afterwards if the state has changed meanwhile. */
async function refreshRows(): Promise<void> {
  refreshAgain = true;
  if (refreshing) return;
  refreshing = true;
  while (refreshAgain) {
    refreshAgain = false;
    const [rejected, waiting] = await Promise.all([
      sdk.inspect({ state: "rejected", limit: SHOWN_ROWS }),
      sdk.inspect({ state: "waiting", limit: SHOWN_ROWS }),
    ]);
    if (rejected.success) rejectedRows.value = rejected.data;
    if (waiting.success) waitingRows.value = waiting.data;
  }
  refreshing = false;
}
