/** The platform's clock, timers and randomness, as the core's ports. */
import type { Clock, Ids, Timers } from "../core/ports.js";
import type { HostClocks } from "../protocol/host.js";
import { monotonicNow } from "../protocol/monotonic.js";

export const systemClock: Clock = { now: () => Date.now() };

/** Read at once, so that they belong together. */
export const systemClocks = (): HostClocks => ({ now: Date.now(), monotonic: monotonicNow() });

export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** From both sources of chance: where a page is the host, it may have replaced either. */
const randomHex = (count: number): string => {
  const bytes = new Uint8Array(count);
  try {
    globalThis.crypto.getRandomValues(bytes);
  } catch {
    // Not the browser's: `Math.random()` is left.
  }
  return Array.from(bytes, (byte) => ((byte + Math.random() * 256) & 255).toString(16).padStart(2, "0")).join(
    "",
  );
};

/** Version 4, by hand: `crypto.randomUUID` wants a secure context. */
const uuid = (): string => {
  const hex = randomHex(16);
  const variant = "89ab"[Number.parseInt(hex.charAt(16), 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
};

export const systemIds: Ids = { uuid, sessionId: () => randomHex(12) };
