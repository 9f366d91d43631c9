import { isOfPropertyType } from "../../../src/protocol/schemas/events.js";
import type { EventDefinition, EventOperation } from "../../../src/protocol/wire.js";
import { rejection, type Rejection } from "./rejection.js";

/** Checks an event against its definition. Properties may be missing, but none may be unknown or of another type. */
export function checkEvent(
  event: EventOperation,
  known: ReadonlyMap<string, EventDefinition>,
): Rejection | null {
  const definition = known.get(event.definitionId);
  if (!definition) return rejection(4221, `no event is defined with the id ${event.definitionId}`);
  for (const [name, value] of Object.entries(event.properties ?? {})) {
    if (!Object.hasOwn(definition.properties, name))
      return rejection(4222, `${event.definitionId} has no property ${name}`);
    const type = definition.properties[name]!;
    if (!isOfPropertyType(type, value)) return rejection(4222, `${name} must be of type ${type}`);
  }
  return null;
}
