/**
 * The People service's rules as far as the tracker can tell them, with faults on demand. What it applied, and every
 * request that reached it, can be read.
 */
import type { Profile } from "../../src/protocol/api.js";
import type {
  BatchRequest,
  EventDefinition,
  Operation,
  OperationResult,
  RegistrationRequest,
} from "../../src/protocol/wire.js";
import { HOUR } from "../../src/protocol/wire.js";
import type { WireAnswer, WireRequest } from "../../src/core/ports.js";
import { profileKey } from "../../src/core/delivery/registrar.js";
import type { VirtualTime } from "./virtual-time.js";

export type Route = "registrations" | "batches" | "definitions";

export interface SeenRequest {
  at: number;
  host: string;
  route: Route;
  authorization: string;
  body: string;
  /** The operations' ids, in order. */
  ids: string[];
  compressed: boolean;
}

/** What happens to one request; nothing special where it is absent. */
export type Fault =
  /** Answered so, and nothing applied. */
  | { kind: "answer"; answer: WireAnswer }
  /** Nothing applied, no answer. */
  | { kind: "unreachable" }
  /** Applied, and the answer lost on its way. */
  | { kind: "lost" }
  /** Applied, and answered for the first few operations only. */
  | { kind: "half"; named: number }
  /** Applied, and no answer until the tracker gives up. */
  | { kind: "silent" }
  /** Applied and answered, after a while. */
  | { kind: "slow"; delayMs: number };

export const errorAnswer = (status: number, code = status, retryAfterMs?: number): WireAnswer => ({
  status,
  body: {
    error: { code, name: `Error${code}`, message: "no", origin: "people-service", platform: "test" },
  },
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});
export const answering = (status: number, code?: number, retryAfterMs?: number) => ({
  kind: "answer" as const,
  answer: errorAnswer(status, code, retryAfterMs),
});
/** A captive portal's page. */
export const PORTAL: Fault = { kind: "answer", answer: { status: 200 } };
export const UNREACHABLE: Fault = { kind: "unreachable" };

export class PeopleService {
  readonly #time: VirtualTime;
  readonly requests: SeenRequest[] = [];
  /** In the order in which they were applied. */
  readonly applied: { profile: Profile; operation: Operation }[] = [];
  readonly #appliedIds = new Set<string>();
  readonly #registrations = new Map<string, { profile: Profile; expiresAt: number }>();
  /** Visitor → person. */
  readonly merged = new Map<string, string>();
  #tokens = 0;

  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  apiKey = "key";
  registrationMs = 1 * HOUR;
  /** Profiles whose registration is refused with 4032. */
  readonly strangers = new Set<string>();
  /** Profiles that it cannot register, by id, with the status that it answers. */
  readonly unregistrable = new Map<string, 400 | 404>();
  /** Operations that make the service refuse the whole batch. */
  readonly poisonous = new Set<string>();
  /** Operations that are rejected by themselves. */
  readonly unwelcome = new Set<string>();
  definitions: EventDefinition[] = [];
  definitionsVersion = "1";

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** These faults, one a request to that route; then none. */
  script(route: Route, ...faults: (Fault | undefined)[]): void {
    this.fault = (request) => (request.route === route ? faults.shift() : undefined);
  }

  revokeTokens(): void {
    this.#registrations.clear();
  }

  requestsTo(route: Route): SeenRequest[] {
    return this.requests.filter((request) => request.route === route);
  }

  /** The ids applied for a profile, in order; for all without one. */
  appliedIds(profile?: Profile): string[] {
    return this.applied
      .filter((entry) => !profile || profileKey(entry.profile) === profileKey(profile))
      .map(({ operation }) => operation.id);
  }

  /** Notes the request and says what is to happen to it. */
  receive(
    host: string,
    request: WireRequest,
    compressed: boolean,
  ): { seen: SeenRequest; fault: Fault | undefined } {
    const route = request.url.split("/").at(-1) as Route;
    const body = request.body ?? "";
    const seen: SeenRequest = {
      at: this.#time.now,
      host,
      route,
      authorization: request.headers["Authorization"] ?? "",
      body,
      compressed,
      ids: route === "batches" ? (JSON.parse(body) as BatchRequest).operations.map(({ id }) => id) : [],
    };
    this.requests.push(seen);
    return { seen, fault: this.fault(seen) };
  }

  answer(request: WireRequest, { route, authorization, body }: SeenRequest): WireAnswer {
    if (route === "registrations")
      return this.#register(authorization, JSON.parse(body) as RegistrationRequest);
    const registration = this.#registrations.get(authorization.replace("Bearer ", ""));
    if (!registration || registration.expiresAt <= this.#time.now) return errorAnswer(401);
    if (route === "definitions") return this.#define(request.headers["If-None-Match"]);
    return this.#applyBatch(registration.profile, JSON.parse(body) as BatchRequest);
  }

  #register(authorization: string, { profile, liveChatToken }: RegistrationRequest): WireAnswer {
    if (authorization !== `App ${this.apiKey}`) return errorAnswer(401);
    const refusal = this.unregistrable.get(profile.id);
    if (refusal) return errorAnswer(refusal, 10 * refusal);
    const isStranger =
      this.strangers.has(profile.id) || (profile.kind !== "visitor" && liveChatToken === undefined);
    if (isStranger) return errorAnswer(403, 4032);
    const token = `token-${++this.#tokens}`;
    const expiresAt = this.#time.now + this.registrationMs;
    this.#registrations.set(token, { profile, expiresAt });
    return {
      status: 200,
      body: {
        token,
        expiresAt: new Date(expiresAt).toISOString(),
        expiresInMs: this.registrationMs,
        definitionsVersion: this.definitionsVersion,
      },
    };
  }

  #define(known: string | undefined): WireAnswer {
    const etag = `"${this.definitionsVersion}"`;
    if (known === etag) return { status: 304, etag };
    return {
      status: 200,
      etag,
      body: { version: this.definitionsVersion, definitions: structuredClone(this.definitions) },
    };
  }

  #applyBatch(profile: Profile, { operations }: BatchRequest): WireAnswer {
    if (operations.length === 0 || operations.some(({ id }) => this.poisonous.has(id)))
      return errorAnswer(400);
    return { status: 200, body: { results: operations.map((operation) => this.#apply(profile, operation)) } };
  }

  #apply(profile: Profile, operation: Operation): OperationResult {
    const { id } = operation;
    if (this.#appliedIds.has(id)) return { id, status: "duplicate" };
    if (this.unwelcome.has(id)) return rejection(id, "unwelcome");
    if (operation.type === "profile.merge") {
      const visitor = this.#registrations.get(operation.from.token)?.profile;
      if (visitor?.kind !== "visitor" || visitor.id !== operation.from.id) return rejection(id, "not yours");
      if (this.merged.has(visitor.id)) return rejection(id, "merged before");
      this.merged.set(visitor.id, profile.id);
    }
    this.#appliedIds.add(id);
    this.applied.push({ profile, operation });
    return { id, status: "accepted" };
  }
}

const rejection = (id: string, message: string): OperationResult => ({
  id,
  status: "rejected",
  error: { code: 422, name: "Rejected", message },
});
