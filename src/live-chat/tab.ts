/** What a session needs of its tab. */
export interface Tab {
  /** Text that all tabs of the origin share, and that stays over reloads; `null` where there is none. */
  read(key: string): string | null;
  write(key: string, text: string): void;
  /** Calls the listener when another tab may have written. */
  onWrite(listener: () => void): () => void;
  /** Calls the listener when the browser is online again, or the tab is visible again. */
  onReturn(listener: (reason: "online" | "visible") => void): () => void;
  /** Runs one at a time in all tabs, as far as the browser can. */
  alone(name: string, work: () => Promise<void>): Promise<void>;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** As far as the browser knows. */
  isOnline(): boolean;
  now(): number;
  random(): number;
}
