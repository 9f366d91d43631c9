/**
 * Follows what the site's Live Chat reports, and exchanges it for a session of the People service, in any number of tabs.
 *
 * It is a control loop. The widgets write what is wanted, the service's answers are written as what is granted, both into
 * localStorage, and `settle()` makes one exchange after another until the two agree. It runs in one tab at a time.
 */
import type { LiveChatSession, LiveChatSource } from "../protocol/api.js";
import { toJson } from "../protocol/json.js";
import type { Granted } from "./granted.js";
import {
  readGranted,
  sessionOf,
  waitMsOf,
  withConfirmation,
  withFailure,
  withoutToken,
  withSession,
} from "./granted.js";
import type { Jwt } from "./jwt.js";
import { fetchJwt, userIdOf } from "./jwt.js";
import type { Answer } from "./live-chat-service.js";
import { liveChatService } from "./live-chat-service.js";
import type { Exchange } from "./next-exchange.js";
import { nextExchange } from "./next-exchange.js";
import type { Tab } from "./tab.js";
import type { Wanted } from "./wanted.js";
import { readWanted, withChatStarted, withoutSession, withUser } from "./wanted.js";
import { warn } from "./warn.js";

/** How a Live Chat session is set up. */
export interface LiveChatSessionOptions {
  /** The People service, as in the tracker's options. Default: `/people`. */
  endpoint?: string | URL;
  /** Resolves once the site's Live Chat is initialized. Default: at once. */
  ready?: () => Promise<void>;
}

/** A `LiveChatSource` for the tracker, and what a site or an adapter tells it. Nothing here throws or rejects. */
export interface LiveChatSessionSource extends LiveChatSource {
  /** A chat was started. Without a signed-in user, a new lead is made. Calls after the first change nothing. */
  sessionStarted(): void;
  /**
   * A user has signed in to Live Chat. The same user again changes nothing; another user ends the session of the one before.
   *
   * @param jwt a JWT of one of the service's widgets, or what fetches one
   * @param userId names the user on this site, so that a JWT is fetched only where it is needed. By default it is read from
   *   the JWT, which must then be a text.
   */
  signedIn(jwt: string, userId?: string): void;
  signedIn(jwt: Jwt, userId: string): void;
  /** The user has signed out, or the chat was reset: the session ends in this browser at once, and on the service. */
  signedOut(): void;
  /** Lets go of the page: nothing more is exchanged by this tab. */
  close(): void;
}

export const liveChatSession = (
  { endpoint = "/people", ready = () => Promise.resolve() }: LiveChatSessionOptions,
  tab: Tab,
): LiveChatSessionSource => {
  const name = `people-tracking-live-chat:${String(endpoint)}`;
  const ask = liveChatService(endpoint, tab);
  const listeners = new Set<(session: LiveChatSession | null) => void>();
  /** How this tab proves who has signed in. A JWT is used once and soon expires, so it is not stored. */
  let proof: { userId: string; jwt: Jwt } | undefined;
  let reported = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const closing = new AbortController();

  const read = (part: "wanted" | "granted"): unknown => {
    try {
      return JSON.parse(tab.read(`${name}:${part}`) ?? "null");
    } catch {
      return null;
    }
  };
  const wanted = (): Wanted => readWanted(read("wanted"));
  const granted = (): Granted => readGranted(read("granted"));
  const hasJwt = (userId: string): boolean => proof?.userId === userId;

  const session = (): LiveChatSession | null => {
    const found = sessionOf(wanted(), granted());
    return found && { id: found.id, kind: found.kind, personId: found.personId, token: found.token };
  };

  const report = (): void => {
    const present = session();
    if (toJson(present) === reported) return;
    reported = toJson(present);
    for (const listener of listeners) {
      try {
        listener(present);
      } catch (error) {
        // The other listeners must be called too.
        reportError(error);
      }
    }
  };
  const grant = (next: Granted): void => {
    tab.write(`${name}:granted`, toJson(next));
    report();
  };
  /** @param transition answers the very object that it is given where nothing changes */
  const want = (transition: (wanted: Wanted) => Wanted): void => {
    const before = wanted();
    const after = transition(before);
    if (after !== before) tab.write(`${name}:wanted`, toJson(after));
    report();
    settle(true);
  };

  const jwtFor = async (exchange: Exchange): Promise<string | null> => {
    if (exchange.kind !== "authenticate" || !proof) return "";
    try {
      return await fetchJwt(proof.jwt);
    } catch (error) {
      warn("jwt", error);
      return null;
    }
  };

  /** Makes one exchange and stores what came of it, which another tab may have changed meanwhile. */
  const make = async (exchange: Exchange, epoch: number): Promise<void> => {
    const jwt = await jwtFor(exchange);
    const answer: Answer = jwt === null ? { kind: "failed" } : await ask(exchange, jwt);
    const now = tab.now();
    switch (answer.kind) {
      case "granted": {
        const userId = exchange.kind === "authenticate" ? exchange.userId : null;
        return grant(withSession(granted(), { ...answer.session, epoch, userId }, now));
      }
      case "confirmed":
        return grant(withConfirmation(granted(), now));
      case "terminated":
        if (exchange.kind === "check" && wanted().epoch === epoch)
          tab.write(`${name}:wanted`, toJson(withoutSession(wanted())));
        return grant("token" in exchange ? withoutToken(granted(), exchange.token) : granted());
      case "failed":
        // A session whose check failed goes on; the next page checks it again.
        if (exchange.kind === "check") return grant(withConfirmation(granted(), now));
        return grant(withFailure(granted(), now, tab.random(), answer.retryAfterMs));
    }
  };

  /** @param isEarly whether the first exchange need not wait for the end of back-off */
  const settleAlone = async (isEarly: boolean): Promise<void> => {
    for (let mayBeEarly = isEarly; !closing.signal.aborted; mayBeEarly = false) {
      const [aim, present, now] = [wanted(), granted(), tab.now()];
      const exchange = nextExchange(aim, present, now, hasJwt);
      if (!exchange) return;
      const waitMs = mayBeEarly && !present.isRetryBinding ? 0 : waitMsOf(present, now);
      if (waitMs > 0) {
        timer = setTimeout(() => settle(false), waitMs);
        return;
      }
      await make(exchange, aim.epoch);
    }
  };

  let isSettling = false;
  /** What was asked for meanwhile. */
  let next: { isEarly: boolean } | undefined;
  const settle = (isEarly: boolean): void => {
    clearTimeout(timer);
    if (isSettling) next = { isEarly: isEarly || !!next?.isEarly };
    // Most pages have nothing to exchange, and take no lock.
    else if (!closing.signal.aborted && nextExchange(wanted(), granted(), tab.now(), hasJwt))
      void settleInTurn(isEarly);
  };
  const settleInTurn = async (isEarly: boolean): Promise<void> => {
    isSettling = true;
    try {
      await tab.alone(name, () => settleAlone(isEarly));
    } catch (error) {
      warn("bug", error);
    }
    isSettling = false;
    const again = next;
    next = undefined;
    if (again) settle(again.isEarly);
  };

  const endings = [
    tab.onWrite(() => {
      report();
      settle(false);
    }),
    tab.onReturn((reason) => {
      report();
      settle(reason === "online");
    }),
  ];
  reported = toJson(session());
  settle(false);

  return {
    ready,
    session,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    sessionStarted: () => want(withChatStarted),
    signedIn(jwt: Jwt, givenId?: string) {
      const userId = givenId ?? (typeof jwt === "string" ? userIdOf(jwt) : undefined);
      if (!userId) return warn("noUser");
      proof = { userId, jwt };
      want((before) => withUser(before, userId));
    },
    signedOut() {
      proof = undefined;
      want(withoutSession);
    },
    close() {
      closing.abort();
      clearTimeout(timer);
      listeners.clear();
      for (const end of endings) end();
    },
  };
};
