import type { LiveChatSession } from "../protocol/api.js";
import { toJson } from "../protocol/json.js";
import { SECOND } from "../protocol/wire.js";
import type { Exchange } from "./next-exchange.js";
import type { Tab } from "./tab.js";
import { warn } from "./warn.js";

const RESPONSE_TIMEOUT_MS = 10 * SECOND;

export type Answer =
  | { kind: "granted"; session: LiveChatSession }
  /** The service knows no session of this token, or no longer. */
  | { kind: "terminated" }
  | { kind: "confirmed" }
  | { kind: "failed"; retryAfterMs?: number };

/** Makes one request to the People service's Live Chat routes. It always resolves. */
export type AskService = (exchange: Exchange, jwt: string) => Promise<Answer>;

export const liveChatService = (endpoint: string | URL, tab: Tab): AskService => {
  const sessions = `${String(endpoint).replace(/\/+$/, "")}/v1/live-chat/sessions`;

  return async (exchange, jwt) => {
    const { method, path, token, body } = requestOf(exchange, jwt);
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), RESPONSE_TIMEOUT_MS);
    try {
      const response = await tab.fetch(sessions + path, {
        method,
        headers: {
          ...(token !== undefined && { Authorization: `Bearer ${token}` }),
          ...(body && { "Content-Type": "application/json" }),
        },
        ...(body && { body: toJson(body) }),
        credentials: "omit",
        redirect: "error",
        cache: "no-store",
        signal: controller.signal,
      });
      if (response.ok) {
        if (exchange.kind === "terminate") return { kind: "terminated" };
        if (exchange.kind === "check") return { kind: "confirmed" };
        const session = sessionIn(await response.json());
        if (session) return { kind: "granted", session };
      }
      if (token !== undefined && response.status === 401) return { kind: "terminated" };
      warn("refused", response.status, sessions + path);
      const retryAfterMs = millisecondsOf(response.headers.get("Retry-After"));
      return { kind: "failed", ...(retryAfterMs !== undefined && { retryAfterMs }) };
    } catch {
      // A broken connection, no answer in time, a redirect, half a body: what the service did is unknown.
      if (tab.isOnline()) warn("unreachable", sessions + path);
      return { kind: "failed" };
    } finally {
      clearTimeout(timer);
    }
  };
};

interface LiveChatRequest {
  method: "GET" | "POST" | "DELETE";
  path: "" | "/authenticate" | "/current";
  token?: string;
  body?: object;
}

const requestOf = (exchange: Exchange, jwt: string): LiveChatRequest => {
  switch (exchange.kind) {
    case "start":
      return { method: "POST", path: "", body: {} };
    case "authenticate": {
      const { sessionId } = exchange;
      return { method: "POST", path: "/authenticate", body: { jwt, ...(sessionId && { sessionId }) } };
    }
    case "check":
      return { method: "GET", path: "/current", token: exchange.token };
    case "terminate":
      return { method: "DELETE", path: "/current", token: exchange.token };
  }
};

const sessionIn = (answer: unknown): LiveChatSession | null => {
  const { sessionId: id, token, person } = Object(answer) as Record<string, unknown>;
  const { kind, id: personId } = Object(person) as Record<string, unknown>;
  const isSession =
    [id, token, personId].every((text) => typeof text === "string" && text !== "") &&
    (kind === "lead" || kind === "authenticated");
  return isSession ? ({ id, kind, personId, token } as LiveChatSession) : null;
};

/** Reads a header that holds seconds or a date. */
const millisecondsOf = (retryAfter: string | null): number | undefined => {
  if (!retryAfter) return undefined;
  const waitMs = /^\d+$/.test(retryAfter) ? Number(retryAfter) * SECOND : Date.parse(retryAfter) - Date.now();
  return waitMs > 0 ? waitMs : undefined;
};
