import { signal } from "@preact/signals";

import type { Feed, WireEntry } from "../demo-feed.js";

const POLL_MS = 800;
const KEPT_ENTRIES = 60;

export const reachable = signal(true);
/** The entries, newest first. */
export const wire = signal<readonly WireEntry[]>([]);
/** The demo server itself is unreachable, so there is nothing to read and nothing to switch. */
export const demoServerGone = signal(false);

let boot = "";
let lastSeen = 0;

/**
 * Polls the feed. A stream would take one of the six HTTP/1.1 connections that a browser opens for all tabs of an origin, so six
 * tabs would leave none for the tracker.
 */
export function followDemoServer(): void {
  void poll();
  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void poll();
  });
}

let timer: ReturnType<typeof setTimeout> | undefined;
async function poll(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  try {
    const response = await fetch(`/demo/feed?after=${lastSeen}&boot=${boot}`, {
      signal: AbortSignal.timeout(5000),
    });
    take((await response.json()) as Feed);
    demoServerGone.value = false;
  } catch {
    demoServerGone.value = true;
  }
  if (document.visibilityState === "visible") {
    clearTimeout(timer);
    timer = setTimeout(() => void poll(), POLL_MS);
  }
}

function take(feed: Feed): void {
  reachable.value = feed.reachable;
  const known = feed.boot === boot ? wire.value : [];
  boot = feed.boot;
  // Two polls may have been pending at once; then the entries of the second are known already.
  const fresh = feed.entries.filter((entry) => !known.some(({ n }) => n === entry.n));
  if (fresh.length > 0 || known !== wire.value)
    wire.value = [...fresh.toReversed(), ...known].slice(0, KEPT_ENTRIES);
  lastSeen = wire.value[0]?.n ?? 0;
}

export async function setReachable(value: boolean): Promise<void> {
  try {
    await fetch("/demo/reachable", {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ reachable: value }),
    });
  } finally {
    void poll();
  }
}
