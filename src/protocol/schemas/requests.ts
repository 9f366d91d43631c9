/** Requests of trackers, as the service reads them. */
import * as v from "valibot";
import type { Operation, RegistrationRequest } from "../wire.js";
import { LIMITS } from "../wire.js";
import { bare, object } from "./building-blocks.js";
import { definitionIdSchema, eventPropertiesSchema } from "./events.js";
import { operationIdSchema, profileIdSchema, sessionIdSchema } from "./ids.js";
import { attributeNameSchema, listItemSchema, personSchema } from "./person.js";
import { instantSchema } from "./times.js";

export const profileSchema = v.variant("kind", [
  object({
    kind: v.literal("visitor"),
    id: v.pipe(v.string(), v.uuid("a visitor's id must be a UUID")),
  }),
  object({ kind: v.literal("lead"), id: profileIdSchema }),
  object({ kind: v.literal("authenticated"), id: profileIdSchema }),
]);
export const registrationRequestSchema: v.GenericSchema<unknown, RegistrationRequest> = object({
  profile: profileSchema,
  liveChatToken: v.exactOptional(v.string()),
});

/** The fields of every operation. If one lacks them, the whole batch is refused, because there is no id to respond to. */
export const operationEnvelopeSchema = v.looseObject(bare({ id: operationIdSchema, type: v.string() }));

const operationBase = { id: operationIdSchema, occurredAt: instantSchema };
export const operationSchema: v.GenericSchema<unknown, Operation> = v.variant("type", [
  object({
    ...operationBase,
    type: v.literal("event"),
    sessionId: sessionIdSchema,
    definitionId: definitionIdSchema,
    properties: v.exactOptional(eventPropertiesSchema),
    page: v.exactOptional(object({ url: v.string(), title: v.string() })),
  }),
  object({ ...operationBase, type: v.literal("person.update"), person: personSchema }),
  object({
    ...operationBase,
    type: v.literal("list.append"),
    attribute: attributeNameSchema,
    item: listItemSchema,
  }),
  object({
    ...operationBase,
    type: v.literal("profile.merge"),
    from: object({ kind: v.literal("visitor"), id: v.pipe(v.string(), v.uuid()), token: v.string() }),
  }),
]);
export const batchRequestSchema = object({
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  sentAt: instantSchema,
  sdk: v.pipe(v.string(), v.maxLength(128)),
  operations: v.pipe(
    v.array(operationEnvelopeSchema),
    v.minLength(1),
    v.maxLength(LIMITS.operationsPerBatch, `must hold at most ${LIMITS.operationsPerBatch} operations`),
  ),
});
