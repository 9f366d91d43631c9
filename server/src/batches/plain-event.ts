import { definitionIdSchema, propertyNameSchema } from "../../../src/protocol/schemas/events.js";
import { operationIdSchema, sessionIdSchema } from "../../../src/protocol/schemas/ids.js";
import type { EventOperation } from "../../../src/protocol/wire.js";
import { LIMITS } from "../../../src/protocol/wire.js";

// The patterns of the schemas, without the cost of running a schema.
const OPERATION_ID = operationIdSchema.pipe[1].requirement;
const SESSION_ID = sessionIdSchema.pipe[1].requirement;
const DEFINITION_ID = definitionIdSchema.pipe[1].requirement;
const PROPERTY_NAME = propertyNameSchema.pipe[2].requirement;
/** Days 29 to 31 are left to the schema, which knows how long each month is. */
const INSTANT = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

type Fields = Record<string, unknown>;

/** Whether every operation has a valid id and a type, so that the envelope's schema would accept the list unchanged. */
export const haveValidEnvelopes = (input: unknown): boolean =>
  Array.isArray(input) &&
  input.length > 0 &&
  input.length <= LIMITS.operationsPerBatch &&
  input.every(
    (entry) => isFields(entry) && isMatch(OPERATION_ID, entry["id"]) && typeof entry["type"] === "string",
  );

/**
 * A fast path for `operationSchema`: whether an input is an event that the schema would accept unchanged. It recognizes
 * what nearly every event looks like, at a tenth of the schema's cost. For any other input it returns false, and the schema
 * decides. It must never return true for an input that the schema refuses.
 */
export function isPlainEvent(input: unknown): input is EventOperation {
  if (!isFields(input) || input["type"] !== "event") return false;
  for (const name in input) {
    const value = input[name];
    switch (name) {
      case "type":
        break;
      case "properties":
        if (!arePlainProperties(value)) return false;
        break;
      case "page":
        if (!isPage(value)) return false;
        break;
      case "id":
      case "occurredAt":
      case "sessionId":
      case "definitionId":
        if (typeof value !== "string") return false;
        break;
      default:
        return false;
    }
  }
  return (
    isMatch(OPERATION_ID, input["id"]) &&
    isMatch(INSTANT, input["occurredAt"]) &&
    isMatch(SESSION_ID, input["sessionId"]) &&
    isMatch(DEFINITION_ID, input["definitionId"])
  );
}

const isFields = (input: unknown): input is Fields =>
  typeof input === "object" && input !== null && !Array.isArray(input);

const isMatch = (pattern: RegExp, value: unknown): boolean =>
  typeof value === "string" && pattern.test(value);

function isPage(input: unknown): boolean {
  return (
    isFields(input) &&
    Object.keys(input).length === 2 &&
    typeof input["url"] === "string" &&
    typeof input["title"] === "string"
  );
}

function arePlainProperties(input: unknown): boolean {
  if (!isFields(input)) return false;
  const names = Object.keys(input);
  return (
    names.length > 0 &&
    names.length <= LIMITS.propertiesPerEvent &&
    names.every((name) => isPlainName(name) && isPlainValue(input[name])) &&
    new Set(names.map((name) => name.toLowerCase())).size === names.length
  );
}

const isPlainName = (name: string): boolean =>
  name.length <= LIMITS.propertyNameLength && PROPERTY_NAME.test(name) && name !== "__proto__";

const isPlainValue = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
