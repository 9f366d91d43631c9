/**
 * The events that are defined on the service, cached so that a wrong event fails at the call. It never refuses on
 * stale knowledge: what the cache does not know is asked anew, and refused only if that answer agrees.
 */
import type { TrackCommand } from "../../protocol/host.js";
import { isOfPropertyType } from "../../protocol/schemas/events.js";
import { parsed } from "../../protocol/schemas/parse.js";
import { definitionsAnswerSchema } from "../../protocol/schemas/responses.js";
import type { EventDefinition } from "../../protocol/wire.js";
import { SECOND } from "../../protocol/wire.js";
import type { CachedDefinitions, Ports } from "../ports.js";
import { within } from "../within.js";

const WAIT_MS = 2 * SECOND;
/** An answer, and the want of one, hold this long. */
const FRESH_MS = 5 * SECOND;

export interface DefinitionsSource {
  /** Asks the service, with the token of the profile that is selected; `null` when no answer is to be had. */
  fetch(etag: string | undefined): Promise<FetchedDefinitions | null>;
}
export type FetchedDefinitions = { unchanged: true } | { unchanged: false; body: unknown; etag?: string };

type Event = Pick<TrackCommand, "eventId" | "properties">;

/** What the definitions have against an event, or `null`. */
export const disagreement = (
  definitions: ReadonlyMap<string, EventDefinition>,
  { eventId, properties = {} }: Event,
): string | null => {
  const definition = definitions.get(eventId);
  if (!definition) return `no event is defined with the id ${eventId}`;
  for (const [name, value] of Object.entries(properties)) {
    const type = Object.hasOwn(definition.properties, name) ? definition.properties[name] : undefined;
    if (!type) return `properties.${name} is not defined for the event ${eventId}`;
    if (!isOfPropertyType(type, value)) {
      return `properties.${name} must be of type ${type}, as the event ${eventId} defines it`;
    }
  }
  return null;
};

export class Definitions {
  readonly #ports: Pick<Ports, "clock" | "timers" | "store">;
  readonly #source: DefinitionsSource;
  #cached: CachedDefinitions | null = null;
  #byId: ReadonlyMap<string, EventDefinition> | null = null;
  #asking: Promise<boolean> | null = null;
  #last: { at: number; answered: boolean } | null = null;

  constructor(ports: Pick<Ports, "clock" | "timers" | "store">, source: DefinitionsSource) {
    this.#ports = ports;
    this.#source = source;
  }

  async load(): Promise<void> {
    const stored = await this.#ports.store.readDefinitions();
    if (stored) this.#keep(stored);
  }

  get version(): string | null {
    return this.#cached?.version ?? null;
  }

  forget(): void {
    this.#cached = null;
    this.#byId = null;
    this.#last = null;
  }

  /** At once: whether what is cached allows the event. */
  allows(event: Event): boolean {
    return this.#byId !== null && disagreement(this.#byId, event) === null;
  }

  /** The cause of a refusal that a fresh answer agrees with, or `null`. */
  async problem(event: Event, online: boolean): Promise<string | null> {
    if (this.allows(event) || !online) return null;
    return (await this.refresh()) && this.#byId ? disagreement(this.#byId, event) : null;
  }

  /** One shared request; whether the service answered. Never takes long, and never fails. */
  async refresh(): Promise<boolean> {
    const last = this.#last;
    const age = last ? this.#ports.clock.now() - last.at : Infinity;
    if (last && age >= 0 && age < FRESH_MS) return last.answered;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    const answered = await within(this.#ports.timers, WAIT_MS, this.#asking, null);
    // Whoever asks next does not wait again for what is late; if it comes after all, it counts.
    if (answered === null) this.#last = { at: this.#ports.clock.now(), answered: false };
    return answered ?? false;
  }

  async #ask(): Promise<boolean> {
    const answered = await this.#fetch().catch(() => false); // the store failed: as good as no answer
    this.#last = { at: this.#ports.clock.now(), answered };
    return answered;
  }

  async #fetch(): Promise<boolean> {
    const answer = await this.#source.fetch(this.#cached?.etag);
    if (!answer) return false;
    if (answer.unchanged) return true;
    const body = parsed(definitionsAnswerSchema, answer.body);
    if (!body) return false;
    const definitions = { ...body, ...(answer.etag !== undefined && { etag: answer.etag }) };
    this.#keep(definitions);
    await this.#ports.store.writeDefinitions(definitions);
    return true;
  }

  #keep(definitions: CachedDefinitions): void {
    this.#cached = definitions;
    this.#byId = new Map(definitions.definitions.map((definition) => [definition.id, definition]));
  }
}
