/**
 * Caches the definitions of events, so that a wrong event fails at the call. Stale definitions never refuse an event: one that
 * they do not allow is checked against fresh definitions.
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
/** How long a response, or the lack of one, is not requested again. */
const FRESH_MS = 5 * SECOND;

export interface DefinitionsSource {
  /** Requests the definitions with the selected profile's token; `null` if there is no response. */
  fetch(etag: string | undefined): Promise<FetchedDefinitions | null>;
}
export type FetchedDefinitions = { unchanged: true } | { unchanged: false; body: unknown; etag?: string };

type Event = Pick<TrackCommand, "eventId" | "properties">;

/** Returns why the definitions do not allow an event, or `null`. */
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
  #loading: Promise<void> | null = null;
  #asking: Promise<boolean> | null = null;
  #last: { at: number; answered: boolean } | null = null;

  constructor(ports: Pick<Ports, "clock" | "timers" | "store">, source: DefinitionsSource) {
    this.#ports = ports;
    this.#source = source;
  }

  /** Loads what is stored. An event that comes meanwhile waits for it. */
  load(): Promise<void> {
    return (this.#loading = this.#load());
  }

  async #load(): Promise<void> {
    // Where the store fails, events are checked against fresh definitions.
    const stored = await this.#ports.store.readDefinitions().catch(() => null);
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

  /** Whether the cached definitions allow the event. */
  allows(event: Event): boolean {
    return this.#byId !== null && disagreement(this.#byId, event) === null;
  }

  /** Returns why fresh definitions do not allow the event, or `null`. */
  async problem(event: Event, online: boolean): Promise<string | null> {
    await this.#loading;
    if (this.allows(event) || !online) return null;
    return (await this.refresh()) && this.#byId ? disagreement(this.#byId, event) : null;
  }

  /** Refreshes the cache by one shared request. Returns within 2 s whether the service responded, and never rejects. */
  async refresh(): Promise<boolean> {
    const last = this.#last;
    const age = last ? this.#ports.clock.now() - last.at : Infinity;
    if (last && age >= 0 && age < FRESH_MS) return last.answered;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    const answered = await within(this.#ports.timers, WAIT_MS, this.#asking, null);
    // The next caller does not wait again for a late response. If it comes after all, it is used.
    if (answered === null) this.#last = { at: this.#ports.clock.now(), answered: false };
    return answered ?? false;
  }

  async #ask(): Promise<boolean> {
    const answered = await this.#fetch().catch(() => false); // the store failed, which is the same as no response
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
