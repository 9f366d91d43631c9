/** The events that the service defines in a history, and those that no history takes. */
import type { EventDefinition, Operation } from "../../src/protocol/wire.js";
import { MINUTE } from "../../src/protocol/wire.js";
import type { PeopleService } from "../support/people-service.js";

/** An answer that was given before may be on its way, and counts for a while. */
const KNOWN_AFTER_MS = 1 * MINUTE;

/** Defined from the beginning; with `poison` the service takes no batch that holds it. */
export const ACTION: EventDefinition = { id: "action", properties: { step: "numeric", poison: "boolean" } };

export const isPoisonous = (operation: Operation): boolean =>
  operation.type === "event" && operation.properties?.["poison"] === true;

/** One event more. */
export const defineAnother = (service: PeopleService): void => {
  const count = service.eventsDefinedBefore(Infinity).length;
  service.define({ ...ACTION, id: `action${count}` });
};

/** Ids that every tracker that can reach the service knows, or can ask for. */
export const knownEvents = (service: PeopleService, now: number): string[] =>
  service.eventsDefinedBefore(now - KNOWN_AFTER_MS);
