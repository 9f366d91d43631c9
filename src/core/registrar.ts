/** Asks the service for the right to write to a profile, and remembers what it answered. */
import type { Profile, TrackingError } from "../protocol/api.js";
import { parsed, registrationAnswerSchema } from "../protocol/schemas.js";
import type { RegistrationRequest } from "../protocol/wire.js";
import { DAY } from "../protocol/wire.js";
import { failureOf } from "./answers.js";
import { boundUntil, withFailure, withoutStopsOf, withStop, withSuccess } from "./gate.js";
import { laneOf, sameProfile, withLane } from "./lanes.js";
import type { Ports } from "./ports.js";
import type { Lane, TrackerRecord } from "./tracker-record.js";
import { isOptedOut } from "./tracker-record.js";

/** What a service says beyond this is no instant that a date can hold. */
const LONGEST_REGISTRATION_MS = 365 * DAY;

export type Registration =
  | { kind: "registered"; token: string }
  | { kind: "refused"; error: TrackingError }
  /** No answer that says either; the outbox delivers later. */
  | { kind: "unavailable" };

/** A token that still counts, or `null`. */
export const tokenOf = ({ registration }: Lane, now: number): string | null =>
  registration && now >= registration.registeredAt && now < registration.expiresAt
    ? registration.token
    : null;

export class Registrar {
  readonly #ports: Pick<Ports, "clock" | "store" | "transport" | "random">;
  readonly #underWay = new Map<string, Promise<Registration>>();
  readonly #onDefinitionsVersion: (version: string) => void;

  /** @param onDefinitionsVersion Told which version of the definitions the service has, with every registration. */
  constructor(
    ports: Pick<Ports, "clock" | "store" | "transport" | "random">,
    onDefinitionsVersion: (version: string) => void,
  ) {
    this.#ports = ports;
    this.#onDefinitionsVersion = onDefinitionsVersion;
  }

  /** The profile's token, asked for where there is none that counts; with `renew`, asked for in any case. */
  async ensure(profile: Profile, options?: { renew: boolean }): Promise<Registration> {
    const record = await this.#ports.store.read();
    const token = options?.renew ? null : tokenOf(laneOf(record, profile), this.#ports.clock.now());
    if (token !== null) return { kind: "registered", token };
    const key = `${profile.kind} ${profile.id}`;
    const underWay = this.#underWay.get(key) ?? this.#register(record, profile);
    this.#underWay.set(key, underWay);
    return underWay.finally(() => this.#underWay.delete(key));
  }

  async #register(record: TrackerRecord, profile: Profile): Promise<Registration> {
    const { clock, transport } = this.#ports;
    const { connection } = record;
    if (!connection || isOptedOut(record) || boundUntil(record.delivery, clock.now()) !== null) {
      return { kind: "unavailable" };
    }
    const { liveChatToken } = laneOf(record, profile);
    const request: RegistrationRequest = {
      profile,
      ...(profile.kind !== "visitor" && liveChatToken !== undefined && { liveChatToken }),
    };
    const answer = await transport.send({
      method: "POST",
      url: `${connection.endpoint}/v1/registrations`,
      headers: { Authorization: `App ${connection.apiKey}` },
      body: JSON.stringify(request),
    });
    const body = answer.status === 200 ? parsed(registrationAnswerSchema, answer.body) : null;
    if (body) {
      const { token, expiresInMs, definitionsVersion } = body;
      await this.#change((current, now) => {
        // Erased or left in the meantime: nothing of that profile comes back.
        if (!current.lanes.some((lane) => sameProfile(lane.profile, profile))) return current;
        const expiresAt = now + Math.min(expiresInMs, LONGEST_REGISTRATION_MS);
        const registration = { token, registeredAt: now, expiresAt };
        const registered = withLane(current, profile, (lane) => ({ ...lane, registration }));
        return withSuccess(withoutStopsOf(registered, profile));
      });
      this.#onDefinitionsVersion(definitionsVersion);
      return { kind: "registered", token };
    }
    const verdict = failureOf(answer);
    if (verdict.kind === "failed") {
      await this.#change((current, now) =>
        isOptedOut(current)
          ? current
          : withFailure(current, now, this.#ports.random(), verdict.error, verdict.retryAfterMs),
      );
      return { kind: "unavailable" };
    }
    const stopped = verdict.kind === "forbidden" && verdict.scope === "profile" ? profile : null;
    await this.#change((current, now) => withStop(current, stopped, verdict.error, now));
    return { kind: "refused", error: verdict.error };
  }

  #change(change: (record: TrackerRecord, now: number) => TrackerRecord): Promise<void> {
    return this.#ports.store.commit({}, ({ record }) => ({
      change: { record: change(record, this.#ports.clock.now()) },
      result: undefined,
    }));
  }
}
