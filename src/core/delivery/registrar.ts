/** Asks the service for the right to write to a profile, and remembers what it answered. */
import type { Profile, TrackingError } from "../../protocol/api.js";
import { toJson } from "../../protocol/json.js";
import { parsed } from "../../protocol/schemas/parse.js";
import { registrationAnswerSchema } from "../../protocol/schemas/responses.js";
import type { RegistrationRequest } from "../../protocol/wire.js";
import { DAY } from "../../protocol/wire.js";
import type { Ports, WireAnswer } from "../ports.js";
import {
  profileQueueOf,
  withoutUnregistered,
  withProfileQueue,
  withUnregistered,
} from "../record/profile-queues.js";
import type { ProfileQueue, TrackerRecord } from "../tracker-record.js";
import { isOptedOut } from "../tracker-record.js";
import { registrationFailureOf } from "./answers.js";
import { boundUntil, withFailure, withGoodAnswer, withRetryAfter } from "./back-off.js";
import { withOpenBreaker } from "./circuit-breaker.js";

/** What a service says beyond this is no instant that a date can hold. */
const LONGEST_REGISTRATION_MS = 365 * DAY;

export type Registration =
  | { kind: "registered"; token: string }
  /** What is refused: the API key, the Live Chat token that was to prove who the person is, or the profile as such. */
  | { kind: "refused"; error: TrackingError; of: "key" | "token" | "profile" }
  /** No answer that says either; the outbox delivers later. */
  | { kind: "unavailable" };

/** A token that still counts, or `null`. */
export const tokenOf = ({ registration }: ProfileQueue, now: number): string | null =>
  registration && now >= registration.registeredAt && now < registration.expiresAt
    ? registration.token
    : null;

export const profileKey = ({ kind, id }: Profile): string => `${kind} ${id}`;

type RegistrarPorts = Pick<Ports, "clock" | "store" | "transport" | "random">;

export class Registrar {
  readonly #ports: RegistrarPorts;
  readonly #underWay = new Map<string, Promise<Registration>>();
  readonly #onDefinitionsVersion: (version: string) => void;

  /** @param onDefinitionsVersion Told which version of the definitions the service has, with every registration. */
  constructor(ports: RegistrarPorts, onDefinitionsVersion: (version: string) => void) {
    this.#ports = ports;
    this.#onDefinitionsVersion = onDefinitionsVersion;
  }

  /**
   * The profile's token, asked for where there is none that counts.
   *
   * @param refused A token that the service refused, and that counts no more.
   */
  async ensure(record: TrackerRecord, profile: Profile, refused?: string): Promise<Registration> {
    const token = tokenOf(profileQueueOf(record, profile), this.#ports.clock.now());
    if (token !== null && token !== refused) return { kind: "registered", token };
    const key = profileKey(profile);
    let underWay = this.#underWay.get(key);
    if (!underWay) {
      underWay = this.#register(record, profile).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, underWay);
    }
    return underWay;
  }

  async #register(record: TrackerRecord, profile: Profile): Promise<Registration> {
    const { clock, random, transport } = this.#ports;
    const { connection } = record;
    if (!connection || isOptedOut(record) || boundUntil(record.delivery, clock.now()) !== null) {
      return { kind: "unavailable" };
    }
    const { liveChatToken } = profileQueueOf(record, profile);
    const request: RegistrationRequest = {
      profile,
      ...(profile.kind !== "visitor" && liveChatToken !== undefined && { liveChatToken }),
    };
    const answer = await transport.send({
      method: "POST",
      url: `${connection.endpoint}/v1/registrations`,
      headers: { Authorization: `App ${connection.apiKey}` },
      body: toJson(request),
    });
    const body = answer.status === 200 ? parsed(registrationAnswerSchema, answer.body) : null;
    if (body) {
      const { token, expiresInMs, definitionsVersion } = body;
      await this.#keep(record, answer, (current, now) => {
        const expiresAt = now + Math.min(expiresInMs, LONGEST_REGISTRATION_MS);
        const registration = { token, registeredAt: now, expiresAt };
        // The circuit breaker stays as it is: only accepted operations close it.
        const registered = withProfileQueue(current, profile, (queue) => ({ ...queue, registration }));
        return withGoodAnswer(withoutUnregistered(registered, profile));
      });
      this.#onDefinitionsVersion(definitionsVersion);
      return { kind: "registered", token };
    }
    const verdict = registrationFailureOf(answer);
    switch (verdict.kind) {
      case "cutOff":
        return { kind: "unavailable" };
      case "failed":
        await this.#keep(record, answer, (current, now) =>
          withFailure(current, now, random(), verdict.error),
        );
        return { kind: "unavailable" };
      case "unregistered": {
        const message = `the ${profile.kind} ${profile.id} cannot be registered: ${verdict.error.message}`;
        const error = { ...verdict.error, message };
        await this.#keep(record, answer, (current, now) =>
          withUnregistered(withOpenBreaker(current, profile, error, now), profile, profile),
        );
        return { kind: "refused", error, of: "profile" };
      }
      case "unauthorized":
      case "forbidden": {
        const of = verdict.kind === "unauthorized" || verdict.scope === "key" ? "key" : "token";
        await this.#keep(record, answer, (current, now) =>
          withOpenBreaker(current, of === "key" ? null : profile, verdict.error, now),
        );
        return { kind: "refused", error: verdict.error, of };
      }
    }
  }

  /** Keeps what the answer means, unless it answers for another key; for what was erased, `Retry-After` alone counts. */
  #keep(
    asked: TrackerRecord,
    answer: WireAnswer,
    change: (record: TrackerRecord, now: number) => TrackerRecord,
  ): Promise<void> {
    return this.#ports.store.commit({}, ({ record }) => {
      const now = this.#ports.clock.now();
      const isSameService =
        record.connection?.apiKey === asked.connection?.apiKey &&
        record.connection?.endpoint === asked.connection?.endpoint;
      if (!isSameService) return { change: {}, result: undefined };
      const changed = record.generation === asked.generation ? change(record, now) : record;
      const kept = withRetryAfter(changed, now, answer);
      return { change: kept === record ? {} : { record: kept }, result: undefined };
    });
  }
}
