import { signal } from "@preact/signals";

/** Milliseconds since the epoch, updated once a second, for the countdowns. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 1000);
addEventListener("visibilitychange", () => (now.value = Date.now()));

const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
export const formatTime = (iso: string) => time.format(new Date(iso));

const two = (value: number) => String(value).padStart(2, "0");

/** Formats a duration: `29:41`, or `1:02:03` beyond an hour. */
export function formatRemaining(untilIso: string, nowMs: number): string {
  const seconds = Math.max(0, Math.ceil((Date.parse(untilIso) - nowMs) / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
