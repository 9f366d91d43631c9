import type { LiveChatSession } from "../protocol/api.js";
import { SECOND } from "../protocol/wire.js";

/** Live Chat has this long to be ready: the specification's 4001 comes after it. */
const READY_MS = 5 * SECOND;
const REREAD_MS = SECOND;

/**
 * Where the tracker learns who is at the keyboard. A site's Live Chat has this shape at `globalThis.LiveChat`, or is
 * given as the option `liveChat`.
 *
 * @example
 * const liveChat: LiveChatSource = {
 *   ready: () => chat.whenInitialized(),
 *   session: () => chat.session,
 *   subscribe: (listener) => chat.on("session", listener), // answers a function that ends it
 * };
 */
export interface LiveChatSource {
  /** Resolves once Live Chat is initialized; `init()` answers 4001 if it rejects or takes over 5 s. */
  ready(): Promise<void>;
  /** The session as it is now: `null` before a chat is started or a user has signed in, and after its end. */
  session(): LiveChatSession | null;
  /** Calls the listener at each change. Answers what ends it. */
  subscribe(listener: (session: LiveChatSession | null) => void): () => void;
}

/** @returns `undefined` where Live Chat should be and is not */
export const findLiveChat = (
  option: LiveChatSource | null | undefined,
): LiveChatSource | null | undefined => {
  if (option === null) return null;
  try {
    const source = option ?? (globalThis as { LiveChat?: LiveChatSource }).LiveChat;
    return source &&
      [source.ready, source.session, source.subscribe].every((part) => typeof part === "function")
      ? source
      : undefined;
  } catch {
    return undefined; // a getter of the site's that throws
  }
};

export type LiveChatReport = (session: LiveChatSession | null, left?: string) => void;

/** Follows one source for one tab. Whatever the source throws, the page goes on. */
export class LiveChatFollower {
  #source: LiveChatSource;
  /** What this tab reported last; `undefined` before its first reading. */
  #reported: LiveChatSession | null | undefined;
  #lastId: string | undefined;
  #unsubscribe: (() => void) | undefined;
  #rereading: ReturnType<typeof setTimeout> | undefined;

  constructor(source: LiveChatSource) {
    this.#source = source;
  }

  ready(): Promise<boolean> {
    return new Promise((resolve) => {
      setTimeout(resolve, READY_MS, false);
      // A source whose `ready()` throws at once is one that rejects.
      void (async () => this.#source.ready())().then(
        () => resolve(true),
        () => resolve(false),
      );
    });
  }

  /** The present session; from here on it counts as reported. */
  read(): LiveChatSession | null {
    const session = this.#look() ?? null;
    this.#remember(session);
    return session;
  }

  /** Tells every change from the last reading on. */
  follow(report: LiveChatReport): void {
    const tell = (given: unknown): void => {
      const session = given === undefined ? undefined : copySession(given);
      if (session === undefined || isSame(session, this.#reported)) return;
      const left = this.#lastId;
      this.#remember(session);
      if (session) report(session);
      else report(null, left);
    };
    try {
      this.#unsubscribe = this.#source.subscribe(tell);
    } catch {
      // It stays with what it read; the next page load reads again.
    }
    tell(this.#look());
  }

  /** The store has a session of which this tab's Live Chat knows nothing: only a second `null` counts. */
  reread(left: string, report: LiveChatReport): void {
    this.#rereading = setTimeout(() => {
      if (this.#reported) return;
      const session = this.#look();
      if (session === undefined) return;
      this.#remember(session);
      if (session) report(session);
      else report(null, left);
    }, REREAD_MS);
  }

  stop(): void {
    clearTimeout(this.#rereading);
    try {
      this.#unsubscribe?.();
    } catch {
      // Nothing is left to do with a source that cannot be left.
    }
  }

  #look(): LiveChatSession | null | undefined {
    try {
      return copySession(this.#source.session());
    } catch {
      return undefined;
    }
  }

  #remember(session: LiveChatSession | null): void {
    this.#reported = session;
    this.#lastId = session?.id ?? this.#lastId;
  }
}

/** @returns `undefined` for what is no session and not `null` either: it is ignored */
const copySession = (given: unknown): LiveChatSession | null | undefined => {
  if (given === null) return null;
  const { id, kind, personId, token } = Object(given) as LiveChatSession;
  return [id, personId, token].every((text) => text && typeof text === "string") &&
    (kind === "lead" || kind === "authenticated")
    ? { id, kind, personId, token }
    : undefined;
};

const isSame = (a: LiveChatSession | null, b: LiveChatSession | null | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);
