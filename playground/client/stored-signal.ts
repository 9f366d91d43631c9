import { signal, type ReadonlySignal } from "@preact/signals";

/**
 * A value that all tabs share. It is stored in localStorage and updated by `storage` events, which reach every tab except the one
 * that wrote. A value that is not a `T` (another version's, or edited by hand) counts as absent.
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
    // A null key means `localStorage.clear()`.
    if (event.key === key || event.key === null) current.value = read();
  });
  const write = (value: T) => {
    current.value = value;
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // localStorage is denied or full: this tab does not share its value.
    }
  };
  return [current as ReadonlySignal<T>, write] as const;
}
