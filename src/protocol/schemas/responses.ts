/** Responses of the service, as trackers read them. */
import * as v from "valibot";
import type { BatchAnswer, DefinitionsAnswer, ErrorBody, RegistrationAnswer } from "../wire.js";
import { PROPERTY_TYPES } from "../wire.js";
import { object, record } from "./building-blocks.js";

/** Visible ASCII: what every HTTP header can carry. */
export const headerValueSchema = v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/));
export const registrationAnswerSchema: v.GenericSchema<unknown, RegistrationAnswer> = object({
  token: headerValueSchema,
  expiresAt: v.string(),
  expiresInMs: v.pipe(v.number(), v.finite(), v.minValue(0)),
  definitionsVersion: v.string(),
});
export const batchAnswerSchema: v.GenericSchema<unknown, BatchAnswer> = object({
  results: v.array(
    object({
      id: v.string(),
      status: v.picklist(["accepted", "duplicate", "rejected"]),
      error: v.exactOptional(object({ code: v.number(), name: v.string(), message: v.string() })),
    }),
  ),
});
export const definitionsAnswerSchema: v.GenericSchema<unknown, DefinitionsAnswer> = object({
  version: v.string(),
  definitions: v.array(
    object({
      id: v.string(),
      title: v.exactOptional(v.string()),
      properties: record(v.string(), v.picklist(PROPERTY_TYPES)),
    }),
  ),
});
export const errorBodySchema: v.GenericSchema<unknown, ErrorBody> = object({
  error: object({
    code: v.number(),
    name: v.string(),
    message: v.string(),
    origin: v.string(),
    platform: v.string(),
  }),
});
