/** The People service's rules, with the key, its tokens and its limits as the history sets them. */
import type { LiveChatSession, Profile } from "../../src/protocol/api.js";
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
import { errorAnswer } from "../support/people-service.js";
import type { Scheduler } from "./scheduler.js";

export const API_KEY = "key";
/** The event that is defined from the beginning; with `poison` the service takes no batch that holds it. */
const ACTION: EventDefinition = { id: "action", properties: { step: "numeric", poison: "boolean" } };
/** An answer that was given before may be on its way, and counts for a while. */
const KNOWN_AFTER_MS = 1 * MINUTE;

const NOT_DEFINED = 4100;
const TOO_OLD = 4101;
const AFTER_MERGE = 4102;
const AFTER_TERMINATION = 4103;
const NOT_THE_VISITOR = 4104;
const MERGED_BEFORE = 4105;
const UNREGISTRABLE = 4106;
const POISON = 4001;
/** Reasons that a model of the calls can foresee, each with what calls for it. */
export const REASONS = { NOT_DEFINED, TOO_OLD, AFTER_MERGE, AFTER_TERMINATION, POISON, UNREGISTRABLE };

/** A Live Chat session's, shared by the tokens that were given for it. */
interface LiveChatGrant {
  profile: Profile;
  endedAt: number;
}

export interface Applied {
  profile: Profile;
  operation: Operation;
}

export class Service {
  readonly #scheduler: Scheduler;
  /** In the order in which they were applied. */
  readonly applied: Applied[] = [];
  readonly appliedIds = new Set<string>();
  /** Every reason that was ever given for not taking an operation, by its id. */
  readonly refusals = new Map<string, number>();
  readonly #registrations = new Map<string, { profile: Profile; expiresAt: number }>();
  readonly #liveChatTokens = new Map<string, LiveChatGrant>();
  /** Profiles that it cannot register now, with the status that it answers. */
  readonly #unregistrable = new Map<string, 400 | 404>();
  /** Profiles that it ever refused so. */
  readonly #refusedProfiles = new Set<string>();
  readonly #merged = new Map<string, { into: Profile; occurredAt: string }>();
  #tokens = 0;
  isKeyValid = true;
  /** A proxy in front refuses larger batches with 413, and smaller ones never. */
  largestBatch: number = LIMITS.operationsPerBatch;
  registrationMs = 1 * HOUR;
  readonly #definitions: (EventDefinition & { definedAt: number })[] = [{ ...ACTION, definedAt: 0 }];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** @param former A token of the same Live Chat session, which this one follows. */
  startLiveChat({ token, kind, personId }: LiveChatSession, former = ""): void {
    const grant = this.#liveChatTokens.get(former) ?? { profile: { kind, id: personId }, endedAt: Infinity };
    this.#liveChatTokens.set(token, grant);
  }

  endLiveChat(token: string): void {
    const grant = this.#liveChatTokens.get(token);
    if (grant) grant.endedAt = this.#scheduler.now;
  }

  revokeTokens(): void {
    this.#registrations.clear();
  }

  /** From now on nobody can register it; who has may go on, unless the registrations are revoked. */
  refuseToRegister(profile: Profile, status: 400 | 404, revokes: boolean): void {
    this.#unregistrable.set(profileKey(profile), status);
    if (!revokes) return;
    for (const [token, registration] of this.#registrations) {
      if (profileKey(registration.profile) === profileKey(profile)) this.#registrations.delete(token);
    }
  }

  registerAll(): void {
    this.#unregistrable.clear();
  }

  hasRefused(profile: Profile): boolean {
    return this.#refusedProfiles.has(profileKey(profile));
  }

  /** One event more. */
  define(): void {
    const id = `action${this.#definitions.length}`;
    this.#definitions.push({ ...ACTION, id, definedAt: this.#scheduler.now });
  }

  /** Ids that every tracker that can reach the service knows, or can ask for. */
  get knownEvents(): string[] {
    const before = this.#scheduler.now - KNOWN_AFTER_MS;
    return this.#definitions.filter(({ definedAt }) => definedAt < before).map(({ id }) => id);
  }

  answer(request: WireRequest): WireAnswer {
    const authorization = request.headers["Authorization"] ?? "";
    const body = JSON.parse(request.body ?? "null") as unknown;
    if (request.url.endsWith("/v1/registrations")) {
      return this.#register(authorization, body as RegistrationRequest);
    }
    const registration = this.#registrations.get(authorization.replace("Bearer ", ""));
    if (!this.isKeyValid || !registration || registration.expiresAt <= this.#scheduler.now)
      return errorAnswer(401);
    if (request.url.endsWith("/v1/definitions")) return this.#defined(request);
    return this.#applyBatch(registration.profile, body as BatchRequest);
  }

  #register(authorization: string, { profile, liveChatToken = "" }: RegistrationRequest): WireAnswer {
    if (!this.isKeyValid || authorization !== `App ${API_KEY}`) return errorAnswer(401);
    const refusal = this.#unregistrable.get(profileKey(profile));
    if (refusal) {
      this.#refusedProfiles.add(profileKey(profile));
      return errorAnswer(refusal, UNREGISTRABLE);
    }
    if (profile.kind !== "visitor") {
      const known = this.#liveChatTokens.get(liveChatToken);
      const isTheirs = known?.profile.id === profile.id && known.profile.kind === profile.kind;
      if (!isTheirs || this.#scheduler.now > known.endedAt + 30 * DAY) return errorAnswer(403, 4032);
    }
    const token = `token-${++this.#tokens}`;
    const expiresAt = this.#scheduler.now + this.registrationMs;
    this.#registrations.set(token, { profile, expiresAt });
    const times = { expiresAt: new Date(expiresAt).toISOString(), expiresInMs: this.registrationMs };
    return { status: 200, body: { token, ...times, definitionsVersion: this.#version } };
  }

  #applyBatch(profile: Profile, { sentAt, operations }: BatchRequest): WireAnswer {
    if (operations.length > this.largestBatch) return errorAnswer(413);
    const poisonous = operations.filter(isPoisonous);
    if (poisonous.length > 0) {
      if (operations.length === 1) this.refusals.set(operations[0]!.id, POISON);
      return errorAnswer(400, POISON);
    }
    const difference = this.#scheduler.now - Date.parse(sentAt);
    const skew = Math.abs(difference) > 2 * MINUTE ? difference : 0;
    const results = operations.map((operation) => this.#apply(profile, operation, skew));
    return { status: 200, body: { results } };
  }

  #apply(profile: Profile, operation: Operation, skew: number): OperationResult {
    const { id } = operation;
    if (this.appliedIds.has(id)) return { id, status: "duplicate" };
    const code = this.#refusal(profile, operation, Date.parse(operation.occurredAt) + skew);
    if (code !== null) {
      this.refusals.set(id, code);
      return { id, status: "rejected", error: { code, name: "Rejected", message: "no" } };
    }
    if (operation.type === "profile.merge") {
      this.#merged.set(operation.from.id, { into: profile, occurredAt: operation.occurredAt });
    }
    this.appliedIds.add(id);
    this.applied.push({ profile, operation });
    return { id, status: "accepted" };
  }

  #refusal(profile: Profile, operation: Operation, corrected: number): number | null {
    if (corrected < this.#scheduler.now - LIMITS.operationAgeMs) return TOO_OLD;
    if (operation.type === "event" && !this.#isDefined(operation.definitionId)) return NOT_DEFINED;
    if (profile.kind === "visitor") {
      const merge = this.#merged.get(profile.id);
      return merge && operation.occurredAt > merge.occurredAt ? AFTER_MERGE : null;
    }
    if (operation.type === "profile.merge") {
      const visitor = this.#registrations.get(operation.from.token)?.profile;
      // A token that was revoked proves nothing wrong; it is the tracker's to send that visitor's own.
      if (visitor && (visitor.kind !== "visitor" || visitor.id !== operation.from.id)) return NOT_THE_VISITOR;
      if (this.#merged.has(operation.from.id)) return MERGED_BEFORE;
    }
    const isEnd = operation.type === "event" && operation.definitionId === STANDARD_EVENTS.end;
    return corrected > this.#endOf(profile) + DAY && !isEnd ? AFTER_TERMINATION : null;
  }

  get #version(): string {
    return String(this.#definitions.length);
  }

  #defined(request: WireRequest): WireAnswer {
    const etag = `"${this.#version}"`;
    if (request.headers["If-None-Match"] === etag) return { status: 304, etag };
    const definitions = this.#definitions.map(({ id, properties }) => ({ id, properties }));
    return { status: 200, etag, body: { version: this.#version, definitions } };
  }

  #isDefined(id: string): boolean {
    return (
      (Object.values(STANDARD_EVENTS) as string[]).includes(id) ||
      this.#definitions.some((one) => one.id === id)
    );
  }

  /** When the last Live Chat session of that person ended. */
  #endOf({ kind, id }: Profile): number {
    let end = -Infinity;
    for (const { profile, endedAt } of this.#liveChatTokens.values()) {
      if (profile.kind === kind && profile.id === id) end = Math.max(end, endedAt);
    }
    return end;
  }
}

const isPoisonous = (operation: Operation): boolean =>
  operation.type === "event" && operation.properties?.["poison"] === true;
