/**
 * The one model of the People service: the wire protocol's rules as far as the tracker can observe them. It keeps what it
 * applied and why it refused. Tests set its key, its limits and its definitions, and put faults on the way to it.
 */
import type { Profile } from "../../src/protocol/api.js";
import type {
  BatchRequest,
  EventDefinition,
  Operation,
  OperationResult,
  RegistrationRequest,
} from "../../src/protocol/wire.js";
import { DAY, HOUR, LIMITS, MINUTE, STANDARD_EVENTS } from "../../src/protocol/wire.js";
import type { WireAnswer, WireRequest } from "../../src/core/ports.js";
import { profileKey } from "../../src/core/delivery/registrar.js";
import { LiveChatSessions } from "./live-chat-sessions.js";
import type { Fault, Route, SeenRequest } from "./service-requests.js";
import { errorAnswer } from "./service-requests.js";

export const API_KEY = "key";

/** Why an operation, a batch or a profile was refused: the error's code. */
export const REASONS = {
  POISON: 4001,
  UNREGISTRABLE: 4040,
  NOT_DEFINED: 4100,
  TOO_OLD: 4101,
  AFTER_MERGE: 4102,
  AFTER_TERMINATION: 4103,
  NOT_THE_VISITOR: 4104,
  MERGED_BEFORE: 4105,
  UNWELCOME: 4106,
};

interface Applied {
  profile: Profile;
  operation: Operation;
}

interface Registration {
  profile: Profile;
  expiresAt: number;
  apiKey: string;
  isRevoked: boolean;
}

export class PeopleService {
  readonly #clock: { readonly now: number };
  /** In the order in which they were applied. */
  readonly applied: Applied[] = [];
  readonly #appliedIds = new Set<string>();
  /** The last reason that was given for not taking an operation, by its id. */
  readonly refusals = new Map<string, number>();
  /** By the visitor. */
  readonly merged = new Map<string, { into: Profile; occurredAt: string }>();
  readonly #registrations = new Map<string, Registration>();
  readonly liveChat: LiveChatSessions;
  readonly #definitions: (EventDefinition & { definedAt: number })[];
  #definitionsVersion = 1;
  /** Profiles that it cannot register now, with the status of its response. */
  readonly #unregistrable = new Map<string, 400 | 404>();
  readonly #everRefused = new Set<string>();

  /** The one key that it takes; registrations made with another one are void. */
  apiKey = API_KEY;
  registrationMs = 1 * HOUR;
  /** A proxy in front refuses larger batches with 413. */
  largestBatch: number = LIMITS.operationsPerBatch;
  /** Ids of profiles to which no Live Chat token gives access: 403 with code 4032. */
  readonly strangers = new Set<string>();
  /** Ids of operations that it rejects, whatever they say. */
  readonly unwelcome = new Set<string>();
  /** Operations that make it refuse the whole batch. */
  isPoisonous: (operation: Operation) => boolean = () => false;

  /** Those that `receive` noted. */
  readonly requests: SeenRequest[] = [];
  /** What happens to a request; nothing special where it is `undefined`. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;

  constructor(clock: { readonly now: number }, definitions: readonly EventDefinition[] = []) {
    this.#clock = clock;
    this.liveChat = new LiveChatSessions(clock);
    this.#definitions = definitions.map((one) => ({ ...one, definedAt: 0 }));
  }

  /** These faults, one a request to that route; then none. */
  script(route: Route, ...faults: (Fault | undefined)[]): void {
    this.fault = (request) => (request.route === route ? faults.shift() : undefined);
  }

  /** Notes a request on its way, and returns what is to happen to it. */
  receive(host: string, request: WireRequest, compressed: boolean): Fault | undefined {
    const route = request.url.split("/").at(-1) as Route;
    const body = request.body ?? "";
    const authorization = request.headers["Authorization"] ?? "";
    const ids = route === "batches" ? (JSON.parse(body) as BatchRequest).operations.map(({ id }) => id) : [];
    const seen = { at: this.#clock.now, host, route, authorization, body, compressed, ids };
    this.requests.push(seen);
    return this.fault(seen);
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

  hasApplied(id: string): boolean {
    return this.#appliedIds.has(id);
  }

  hasRefusedToRegister(profile: Profile): boolean {
    return this.#everRefused.has(profileKey(profile));
  }

  /** The ids of the events that were defined by then. */
  eventsDefinedBefore(time: number): string[] {
    return this.#definitions.filter(({ definedAt }) => definedAt < time).map(({ id }) => id);
  }

  revokeTokens(): void {
    for (const registration of this.#registrations.values()) registration.isRevoked = true;
  }

  /** From now on nobody can register it; who has may go on, unless the registrations are revoked. */
  refuseToRegister(profile: Profile, status: 400 | 404, revokes = false): void {
    this.#unregistrable.set(profileKey(profile), status);
    if (!revokes) return;
    for (const registration of this.#registrations.values()) {
      if (profileKey(registration.profile) === profileKey(profile)) registration.isRevoked = true;
    }
  }

  registerAll(): void {
    this.#unregistrable.clear();
  }

  define(...definitions: readonly EventDefinition[]): void {
    this.#definitions.push(...definitions.map((one) => ({ ...one, definedAt: this.#clock.now })));
    this.#definitionsVersion += 1;
  }

  answer(request: WireRequest): WireAnswer {
    const authorization = request.headers["Authorization"] ?? "";
    const body = JSON.parse(request.body ?? "null") as unknown;
    if (request.url.endsWith("/v1/registrations")) {
      return this.#register(authorization, body as RegistrationRequest);
    }
    const registration = this.#registrations.get(authorization.replace("Bearer ", ""));
    if (!registration || !this.#isValid(registration)) return errorAnswer(401);
    if (request.url.endsWith("/v1/definitions")) return this.#readDefinitions(request);
    return this.#applyBatch(registration.profile, body as BatchRequest);
  }

  #isValid({ apiKey, isRevoked, expiresAt }: Registration): boolean {
    return apiKey === this.apiKey && !isRevoked && expiresAt > this.#clock.now;
  }

  #register(authorization: string, { profile, liveChatToken = "" }: RegistrationRequest): WireAnswer {
    if (authorization !== `App ${this.apiKey}`) return errorAnswer(401);
    const refusal = this.#unregistrable.get(profileKey(profile));
    if (refusal) {
      this.#everRefused.add(profileKey(profile));
      return errorAnswer(refusal, REASONS.UNREGISTRABLE);
    }
    if (!this.#givesAccess(liveChatToken, profile)) return errorAnswer(403, 4032);
    const token = `token-${this.#registrations.size + 1}`;
    const expiresAt = this.#clock.now + this.registrationMs;
    this.#registrations.set(token, { profile, expiresAt, apiKey: this.apiKey, isRevoked: false });
    const times = { expiresAt: new Date(expiresAt).toISOString(), expiresInMs: this.registrationMs };
    return { status: 200, body: { token, ...times, definitionsVersion: String(this.#definitionsVersion) } };
  }

  #givesAccess(liveChatToken: string, profile: Profile): boolean {
    if (this.strangers.has(profile.id)) return false;
    return profile.kind === "visitor" || this.liveChat.givesAccess(liveChatToken, profile);
  }

  #readDefinitions(request: WireRequest): WireAnswer {
    const version = String(this.#definitionsVersion);
    const etag = `"${version}"`;
    if (request.headers["If-None-Match"] === etag) return { status: 304, etag };
    const definitions = this.#definitions.map(({ id, properties }) => ({ id, properties }));
    return { status: 200, etag, body: { version, definitions } };
  }

  #applyBatch(profile: Profile, { sentAt, operations }: BatchRequest): WireAnswer {
    if (operations.length > this.largestBatch) return errorAnswer(413);
    if (operations.length === 0 || operations.some((one) => this.isPoisonous(one))) {
      if (operations.length === 1) this.refusals.set(operations[0]!.id, REASONS.POISON);
      return errorAnswer(400, REASONS.POISON);
    }
    const difference = this.#clock.now - Date.parse(sentAt);
    const skew = Math.abs(difference) > 2 * MINUTE ? difference : 0;
    const results = operations.map((operation) => this.#apply(profile, operation, skew));
    return { status: 200, body: { results } };
  }

  #apply(profile: Profile, operation: Operation, skew: number): OperationResult {
    const { id } = operation;
    if (this.#appliedIds.has(id)) return { id, status: "duplicate" };
    const code = this.#refusal(profile, operation, Date.parse(operation.occurredAt) + skew);
    if (code !== null) {
      this.refusals.set(id, code);
      return { id, status: "rejected", error: { code, name: "Rejected", message: "no" } };
    }
    if (operation.type === "profile.merge") {
      this.merged.set(operation.from.id, { into: profile, occurredAt: operation.occurredAt });
    }
    this.#appliedIds.add(id);
    this.applied.push({ profile, operation });
    return { id, status: "accepted" };
  }

  #refusal(profile: Profile, operation: Operation, corrected: number): number | null {
    if (this.unwelcome.has(operation.id)) return REASONS.UNWELCOME;
    if (corrected < this.#clock.now - LIMITS.operationAgeMs) return REASONS.TOO_OLD;
    if (operation.type === "event" && !this.#isDefined(operation.definitionId)) return REASONS.NOT_DEFINED;
    if (profile.kind === "visitor") {
      const merge = this.merged.get(profile.id);
      return merge && operation.occurredAt > merge.occurredAt ? REASONS.AFTER_MERGE : null;
    }
    if (operation.type === "profile.merge") {
      // A token that has expired or was revoked still proves whose it is.
      const visitor = this.#registrations.get(operation.from.token)?.profile;
      if (visitor?.kind !== "visitor" || visitor.id !== operation.from.id) return REASONS.NOT_THE_VISITOR;
      if (this.merged.has(operation.from.id)) return REASONS.MERGED_BEFORE;
    }
    const isEnd = operation.type === "event" && operation.definitionId === STANDARD_EVENTS.end;
    return corrected > this.liveChat.endOf(profile) + DAY && !isEnd ? REASONS.AFTER_TERMINATION : null;
  }

  #isDefined(id: string): boolean {
    return (
      (Object.values(STANDARD_EVENTS) as string[]).includes(id) ||
      this.#definitions.some((one) => one.id === id)
    );
  }
}
