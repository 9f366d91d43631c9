import type { LiveChatSession, LiveChatSource } from "../protocol/api.js";
import { toJson } from "../protocol/json.js";
import { SECOND } from "../protocol/wire.js";
import { within } from "./after.js";

/** Live Chat has this long to be ready; after it `init()` answers 4001. */
const READY_MS = 5 * SECOND;
const REREAD_MS = SECOND;

/** Whether this is a Live Chat: `globalThis.LiveChat` may be anything. */
export const isLiveChat = (given: unknown): given is LiveChatSource => {
  const { ready, session, subscribe } = Object(given) as Record<string, unknown>;
  return [ready, session, subscribe].every((part) => typeof part === "function");
};

export type LiveChatReport = (change: { session: LiveChatSession | null; left?: string }) => void;

/** Follows one source for one tab. Whatever the source throws, the page goes on. */
export interface LiveChatFollower {
  ready(): Promise<unknown>;
  /** The present session, which counts as reported. From here on every change is reported. */
  follow(): LiveChatSession | null;
  /** The store has this session and this tab's Live Chat has none: it ends only if a second look finds none either. */
  reread(id: string): void;
  stop(): void;
}

export const followLiveChat = (source: LiveChatSource, report: LiveChatReport): LiveChatFollower => {
  /** What this tab reported last. */
  let reported: LiveChatSession | null = null;
  let rereading: ReturnType<typeof setTimeout> | undefined;
  let unsubscribe: (() => void) | undefined;

  const look = (known?: string): LiveChatSession | null | undefined => {
    try {
      return readSession(source.session(), known);
    } catch {
      return undefined;
    }
  };

  const reportChange = (session: LiveChatSession | null | undefined): void => {
    if (session === undefined || toJson(session) === toJson(reported)) return;
    const left = reported?.id;
    reported = session;
    report(session ? { session } : { session, left: left! });
  };

  return {
    // Async: a source whose `ready()` throws at once is one that rejects.
    ready: () =>
      within(
        READY_MS,
        (async () => source.ready())().then(() => true),
      ),

    follow: () => {
      const session = (reported = look() ?? null);
      try {
        unsubscribe = source.subscribe((changed) => reportChange(readSession(changed, reported?.id)));
      } catch {
        // It stays with what it read; the next page load reads again.
      }
      return session;
    },

    reread: (id) => {
      rereading = setTimeout(() => {
        const session = look(id);
        if (session === null && !reported) report({ session, left: id });
        else reportChange(session);
      }, REREAD_MS);
    },

    stop: () => {
      clearTimeout(rereading);
      try {
        unsubscribe?.();
      } catch {
        // A source that cannot be unsubscribed from is ignored from now on.
      }
    },
  };
};

/** Each field of a session is a string that matches its rule. */
const RULES = {
  id: /^.+$/s,
  kind: /^(lead|authenticated)$/,
  token: /^.+$/s,
  personId: /^.{1,128}$/s,
};

let isWarned = false;

/**
 * @param known the id of the session that is known
 * @returns `undefined` for what cannot be used: it is ignored
 */
const readSession = (given: unknown, known?: string): LiveChatSession | null | undefined => {
  if (given === null) return null;
  const session: Record<string, unknown> = {};
  for (const [field, rule] of Object.entries(RULES)) {
    const value = (session[field] = (Object(given) as typeof session)[field]);
    if (typeof value === "string" && rule.test(value)) continue;
    if (!isWarned) console.warn(`A Live Chat session is ignored: its ${field} must match ${rule}`);
    isWarned = true;
    // A new session whose person cannot be used: somebody else is at the keyboard, whose calls must not go to the known
    // person.
    return field === "personId" && value && session["id"] !== known ? null : undefined;
  }
  return session as unknown as LiveChatSession;
};
