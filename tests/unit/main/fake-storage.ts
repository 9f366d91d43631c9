import { vi } from "vitest";

/** A `localStorage` of this page, whose keys are fields as in browsers. */
export const stubLocalStorage = () => {
  const storage: Record<string, string> = {};
  const methods = {
    getItem: (key: string): string | null => storage[key] ?? null,
    setItem: vi.fn<Storage["setItem"]>((key, value) => void (storage[key] = value)),
    removeItem: vi.fn<Storage["removeItem"]>((key) => void delete storage[key]),
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(storage, name, { value });
  vi.stubGlobal("localStorage", storage);
  return Object.assign(methods, { storage });
};
