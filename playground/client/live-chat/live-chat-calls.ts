/** The Live Chat calls of the service. Every call resolves; none rejects. */
const SESSIONS = "/people/v1/live-chat/sessions";

export interface Grant {
  sessionId: string;
  token: string;
  person: { kind: "lead" | "authenticated"; id: string };
}
export type Answer<T> =
  { ok: true; value: T } | { ok: false; reason: "unreachable" | "refused"; message: string };

export const startSession = () => grant(SESSIONS, {});

export const authenticate = (jwt: string, sessionId: string | undefined) =>
  grant(`${SESSIONS}/authenticate`, { jwt, ...(sessionId !== undefined && { sessionId }) });

/** `refused`: the session was terminated. */
export const checkSession = (token: string) => call("GET", `${SESSIONS}/current`, { token });

export const terminateSession = (token: string) => call("DELETE", `${SESSIONS}/current`, { token });

async function grant(path: string, body: object): Promise<Answer<Grant>> {
  const answer = await call("POST", path, { body });
  if (!answer.ok) return answer;
  return isGrant(answer.value)
    ? { ok: true, value: answer.value }
    : { ok: false, reason: "refused", message: "Live Chat answered something else than a session." };
}

async function call(
  method: string,
  path: string,
  { token, body }: { token?: string; body?: object },
): Promise<Answer<unknown>> {
  try {
    const response = await fetch(path, {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body && { "Content-Type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const answer: unknown = response.status === 204 ? null : await response.json();
    if (response.ok) return { ok: true, value: answer };
    const reason = response.status < 500 && response.status !== 429 ? "refused" : "unreachable";
    return { ok: false, reason, message: messageOf(answer) ?? `Live Chat answered ${response.status}.` };
  } catch {
    return { ok: false, reason: "unreachable", message: "Live Chat cannot be reached right now." };
  }
}

function isGrant(value: unknown): value is Grant {
  const { sessionId, token, person } = (value ?? {}) as Partial<Record<keyof Grant, unknown>>;
  const { kind, id } = (person ?? {}) as { kind?: unknown; id?: unknown };
  return [sessionId, token, kind, id].every((field) => typeof field === "string");
}

function messageOf(value: unknown): string | undefined {
  const { error } = (value ?? {}) as { error?: { message?: unknown } };
  return typeof error?.message === "string" ? error.message : undefined;
}
