import { signal, type ReadonlySignal } from "@preact/signals";

/**
 * A value that all tabs share: kept in localStorage, and followed from there by `storage` events, which reach every
 * tab but the one that wrote. What cannot be read as a `T` (another version's, a hand-edited one) counts as absent.
 */
export function storedSignal<T>(key: string, fallback: T, isValid: (value: unknown) => value is T) {
  const read = (): T => {
    try {
      const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
      return isValid(value) ? value : fallback;
    } catch {
      return fallback; // no JSON, or a browser that denies storage
    }
  };
  const current = signal(read());
  addEventListener("storage", (event) => {
    // A null key tells of `localStorage.clear()`.
    if (event.key === key || event.key === null) current.value = read();
  });
  const write = (value: T) => {
    current.value = value;
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Denied or full: this tab goes on alone.
    }
  };
  return [current as ReadonlySignal<T>, write] as const;
}
