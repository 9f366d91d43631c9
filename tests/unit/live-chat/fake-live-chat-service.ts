/** The People service's Live Chat routes by their rules (docs of the wire protocol), with faults on demand. */

interface Session {
  id: string;
  person: { kind: "lead" | "authenticated"; id: string };
  isTerminated: boolean;
}

/** What happens to one request; nothing special where it is absent. */
export type Fault = "unreachable" | "lost" | { status: number; retryAfter?: string };

let count = 0;

/** A JWT for the user of this e-mail address, with a `jti` of its own. */
export const jwtOf = (email: string): string => {
  const payload = { iss: "widget", ski: "key", stp: "email", sub: email, jti: `jti-${++count}` };
  return `e30.${btoa(JSON.stringify(payload)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.x`;
};

const claims = (jwt: string): { sub: string; jti: string } =>
  JSON.parse(atob(jwt.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"))) as {
    sub: string;
    jti: string;
  };

export class FakeLiveChatService {
  /** `POST `, `POST /authenticate`, `GET /current`, `DELETE /current`, in order. */
  readonly requests: string[] = [];
  readonly sessions = new Map<string, Session>();
  readonly #tokens = new Map<string, string>();
  readonly #usedJwtIds = new Set<string>();
  fault: (request: string) => Fault | undefined = () => undefined;

  /** Those that are not terminated. */
  get open(): { kind: string; id: string }[] {
    return [...this.sessions.values()]
      .filter(({ isTerminated }) => !isTerminated)
      .map(({ person }) => person);
  }

  /** What a site's server does: the session of this token is over. */
  terminate(token: string): void {
    this.sessions.get(this.#tokens.get(token)!)!.isTerminated = true;
  }

  fetch(url: string, { method = "GET", headers, body }: RequestInit): Promise<Response> {
    const [, path = ""] = url.split("/v1/live-chat/sessions");
    const request = `${method} ${path}`;
    this.requests.push(request);
    const fault = this.fault(request);
    if (fault === "unreachable") return Promise.reject(new TypeError("Failed to fetch"));
    if (typeof fault === "object") return Promise.resolve(answer(fault.status, {}, fault.retryAfter));
    const token = new Headers(headers).get("Authorization")?.replace("Bearer ", "") ?? "";
    const given = this.#answer(request, token, JSON.parse((body as string | undefined) ?? "{}") as Body);
    return fault === "lost" ? Promise.reject(new TypeError("Failed to fetch")) : Promise.resolve(given);
  }

  #answer(request: string, token: string, { jwt, sessionId }: Body): Response {
    const session = this.sessions.get(this.#tokens.get(token) ?? "");
    switch (request) {
      case "POST ":
        return answer(201, this.#grant({ kind: "lead", id: `lead-${++count}` }));
      case "POST /authenticate":
        return this.#authenticate(jwt!, sessionId);
      case "GET /current":
        return session && !session.isTerminated ? answer(200, {}) : answer(401, {});
      case "DELETE /current":
        if (!session) return answer(401, {});
        session.isTerminated = true;
        return answer(204, null);
      default:
        return answer(404, {});
    }
  }

  #authenticate(jwt: string, sessionId: string | undefined): Response {
    const { sub, jti } = claims(jwt);
    if (this.#usedJwtIds.has(jti)) return answer(401, {});
    this.#usedJwtIds.add(jti);
    const person = { kind: "authenticated" as const, id: `person of ${sub}` };
    const known = this.sessions.get(sessionId ?? "");
    const goesOn =
      known && !known.isTerminated && (known.person.kind === "lead" || known.person.id === person.id);
    return answer(200, this.#grant(person, goesOn ? known.id : undefined));
  }

  #grant(person: Session["person"], id = `session-${++count}`): object {
    this.sessions.set(id, { id, person, isTerminated: false });
    const token = `token-${++count}`;
    this.#tokens.set(token, id);
    return { sessionId: id, token, person };
  }
}

interface Body {
  jwt?: string;
  sessionId?: string;
}

const answer = (status: number, body: object | null, retryAfter?: string): Response =>
  ({
    ok: status < 300,
    status,
    headers: new Headers(retryAfter === undefined ? {} : { "Retry-After": retryAfter }),
    json: () => Promise.resolve(body),
  }) as Response;
