import { vi } from "vitest";
import type { HostKind } from "../../../src/protocol/api.js";
import { FakeHost } from "./fake-host.js";

type HostScript = "serves" | "refuses" | "says nothing" | "is missing";

class FakeDocument extends EventTarget {
  URL = "https://shop.example/kites?colour=red#top";
  title = "Shop";
  referrer = "https://search.example/";
  baseURI = "https://shop.example/";
  prerendering = false;
  visibilityState = "visible";
}

class Navigation extends EventTarget {
  readonly [Symbol.toStringTag] = "Navigation";
}

class FakeHistory {
  constructor(readonly page: FakePage) {}
  pushState(_state: unknown, _unused: string, url?: string): void {
    this.page.url = new URL(url ?? "", this.page.url).href;
    this.page.navigation?.dispatchEvent(new Event("currententrychange"));
  }
  replaceState(state: unknown, unused: string, url?: string): void {
    FakeHistory.prototype.pushState.call(this, state, unused, url);
  }
}

/** The globals of a page in a browser whose workers are `FakeHost`s. */
export class FakePage {
  readonly document = new FakeDocument();
  readonly history = new FakeHistory(this);
  readonly window = Object.assign(new EventTarget(), {
    origin: "https://shop.example",
    history: this.history,
  });
  navigation: EventTarget | undefined = new Navigation();
  get url(): string {
    return this.document.URL;
  }
  set url(url: string) {
    this.document.URL = url;
  }
  /** Every host that was opened, in order. */
  readonly hosts: FakeHost[] = [];
  shared: HostScript = "serves";
  dedicated: HostScript = "serves";
  inPage: HostScript = "serves";
  /** The workers of these hosts, in order. */
  readonly workers: EventTarget[] = [];
  /** What is done to a host before its first message. */
  prepare: (host: FakeHost) => void = () => {};
  readonly workerUrls: string[] = [];
  readonly navigator: { onLine: boolean; globalPrivacyControl?: boolean } = { onLine: true };

  constructor() {
    // oxlint-disable-next-line typescript/no-this-alias -- the classes below have their own
    const page = this;
    vi.stubGlobal("document", this.document);
    vi.stubGlobal("location", { origin: this.window.origin });
    vi.stubGlobal("navigator", this.navigator);
    vi.stubGlobal("navigation", this.navigation);
    vi.stubGlobal("window", this.window);
    vi.stubGlobal("addEventListener", this.window.addEventListener.bind(this.window));
    vi.stubGlobal(
      "SharedWorker",
      class extends EventTarget {
        readonly port: MessagePort;
        constructor(url: string, options: WorkerOptions) {
          super();
          this.port = page.open("shared", this, url, options);
        }
      },
    );
    vi.stubGlobal(
      "Worker",
      class extends EventTarget {
        readonly #port: MessagePort;
        constructor(url: string, options: WorkerOptions) {
          super();
          this.#port = page.open("dedicated", this, url, options);
        }
        override addEventListener(type: string, listener: EventListener): void {
          if (type === "error") return super.addEventListener(type, listener);
          this.#port.addEventListener(type, listener);
          this.#port.start();
        }
        postMessage(message: unknown, transfer: Transferable[]): void {
          this.#port.postMessage(message, transfer);
        }
        terminate(): void {
          this.#port.close();
        }
      },
    );
  }

  /** The host that was opened last. */
  get host(): FakeHost {
    return this.hosts.at(-1)!;
  }

  open(kind: "shared" | "dedicated", worker: EventTarget, url: string, options: WorkerOptions): MessagePort {
    const script = this[kind];
    if (script === "is missing") throw new ReferenceError("SharedWorker is not defined");
    this.workerUrls.push(url);
    this.workers.push(worker);
    const { port1, port2 } = new MessageChannel();
    if (script === "refuses") setTimeout(() => worker.dispatchEvent(new Event("error")), 1);
    else this.serve(kind, String(options.name), port2);
    return port1;
  }

  serve(kind: HostKind, name: string, port: MessagePort): void {
    const script = kind === "page" ? this.inPage : this[kind];
    const host = new FakeHost(kind, name);
    this.hosts.push(host);
    this.prepare(host);
    if (script === "serves") host.serve(port);
  }

  /** Goes to another URL inside the document, as a router does. */
  navigate(url: string, title = "Shop"): void {
    this.history.pushState(null, "", url);
    this.document.title = title;
  }

  pagehide(): void {
    this.window.dispatchEvent(new Event("pagehide"));
  }

  comesBack(): void {
    this.window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  }
}

/** Lets what is under way between page and host arrive. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 12; turn++) await new Promise((next) => setImmediate(next));
};

/** Lets time pass, and what happens in it. */
export const pass = async (ms: number): Promise<void> => {
  const stepMs = 250;
  for (let passed = 0; passed < ms; passed += stepMs) {
    await settle();
    await vi.advanceTimersByTimeAsync(Math.min(stepMs, ms - passed));
  }
  await settle();
};

/** Whether a promise has an outcome yet. */
export const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  let settled = false;
  void promise.finally(() => (settled = true));
  await settle();
  return settled;
};

export const fakeTime = (): void => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
  // The page's monotonic clock, which fake timers leave alone.
  vi.stubGlobal(
    "MessageEvent",
    class extends Event {
      override readonly timeStamp = performance.now();
    },
  );
};
