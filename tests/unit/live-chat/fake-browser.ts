/** A browser of any number of tabs, which share storage and locks. Timers and the clock are vitest's. */
import { vi } from "vitest";
import type { Tab } from "../../../src/live-chat/tab.js";
import type { WidgetPage } from "../../../src/live-chat/widget-session.js";
import type { FakeLiveChatService } from "./fake-live-chat-service.js";

export interface FakeTab extends Tab {
  page: WidgetPage;
  /** The tab is gone: nothing reaches it, and what it holds is released. */
  end(): void;
}

const nothing = (): void => undefined;

export class FakeBrowser {
  readonly service: FakeLiveChatService;
  readonly storage = new Map<string, string>();
  readonly #tabs = new Set<FakeTab>();
  readonly #returnListeners = new Set<(reason: "online" | "visible") => void>();
  #lock: Promise<void> = Promise.resolve();
  /** Insecure origins have none. */
  hasLocks = true;
  isOnline = true;

  constructor(service: FakeLiveChatService) {
    this.service = service;
  }

  open(): FakeTab {
    let writeListener = nothing;
    let release = nothing;
    const ended = new Promise<void>((resolve) => (release = resolve));
    const tab: FakeTab & { written(): void } = {
      page: new EventTarget() as WidgetPage,
      read: (key) => this.storage.get(key) ?? null,
      write: (key, text) => {
        if (!this.#tabs.has(tab)) return;
        this.storage.set(key, text);
        for (const other of this.#tabs)
          if (other !== tab) queueMicrotask(() => (other as typeof tab).written());
      },
      written: () => writeListener(),
      onWrite: (listener) => {
        writeListener = listener;
        return () => (writeListener = nothing);
      },
      onReturn: (listener) => {
        this.#returnListeners.add(listener);
        return () => void this.#returnListeners.delete(listener);
      },
      alone: (_, work) => {
        if (!this.hasLocks) return work();
        const turn = this.#lock.then(() => (this.#tabs.has(tab) ? Promise.race([work(), ended]) : undefined));
        this.#lock = turn.catch(() => undefined);
        return turn;
      },
      fetch: (url, init) => this.service.fetch(url, init),
      isOnline: () => this.isOnline,
      now: () => Date.now(),
      random: () => 1,
      end: () => {
        this.#tabs.delete(tab);
        writeListener = nothing;
        release();
      },
    };
    this.#tabs.add(tab);
    return tab;
  }

  /** The browser is online again, or its tabs are visible again. */
  comeBack(reason: "online" | "visible"): void {
    for (const listener of this.#returnListeners) listener(reason);
  }
}

/** Lets everything happen that needs no time. */
export const settled = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(0);
};
