/** Checks commands against the schemas. A problem names the path of what is wrong. */
import type { TrackingError } from "../../protocol/api.js";
import type { Command } from "../../protocol/host.js";
import { toJson } from "../../protocol/json.js";
import { definitionIdSchema, eventPropertiesSchema } from "../../protocol/schemas/events.js";
import { firstProblem } from "../../protocol/schemas/parse.js";
import { attributeNameSchema, listItemSchema, personSchema } from "../../protocol/schemas/person.js";
import { LIMITS, STANDARD_EVENTS } from "../../protocol/wire.js";
import { utf8Bytes } from "../utf8-bytes.js";
import { commandError } from "./accept.js";

const STANDARD: readonly string[] = Object.values(STANDARD_EVENTS);
/** Room for what the tracker adds to an operation: id, time, session, page. */
const ENVELOPE_BYTES = 1024;

const sizeProblem = (payload: unknown): string | null => {
  const bytes = utf8Bytes(toJson(payload)) + ENVELOPE_BYTES;
  return bytes > LIMITS.operationBytes
    ? `it would take ${Math.ceil(bytes / 1024)} KiB on the wire, and an operation may take ${LIMITS.operationBytes / 1024} KiB`
    : null;
};

/** Returns why no definition could allow a command, or `null`. */
export const commandProblem = (command: Command): string | null => {
  switch (command.type) {
    case "track":
      if (STANDARD.includes(command.eventId)) {
        return `${command.eventId} is a standard event, which the tracker records by itself`;
      }
      return (
        firstProblem(definitionIdSchema, command.eventId, "eventId") ??
        (command.properties === undefined
          ? null
          : firstProblem(eventPropertiesSchema, command.properties, "properties")) ??
        sizeProblem([command.properties, command.page])
      );
    case "pageView":
      return sizeProblem(command.page ?? {});
    case "updatePerson":
      return firstProblem(personSchema, command.person, "person") ?? sizeProblem(command.person);
    case "appendToList":
      return (
        firstProblem(attributeNameSchema, command.attribute, "attribute") ??
        firstProblem(listItemSchema, command.item, "item") ??
        sizeProblem(command.item)
      );
    case "liveChat":
      return null;
  }
};

/** Returns the errors of commands that no definition could allow, by the commands' numbers. */
export const problemsOf = (commands: readonly Command[]): Map<number, TrackingError> => {
  const refused = new Map<number, TrackingError>();
  for (const command of commands) {
    const problem = commandProblem(command);
    if (problem !== null) refused.set(command.n, commandError(command, problem));
  }
  return refused;
};
