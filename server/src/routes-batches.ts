import type { Hono } from "hono";
import * as v from "valibot";
import {
  batchAnswerSchema,
  batchRequestSchema,
  definitionsAnswerSchema,
  operationSchema,
  registrationAnswerSchema,
  registrationRequestSchema,
} from "../../src/protocol/schemas.js";
import type { Backend } from "./app.js";
import { credential } from "./authorization.js";
import { applyBatch } from "./batch.js";
import { describe, jsonSchemaOf } from "./describe.js";
import { isCurrent } from "./entity-tag.js";
import { haveEnvelopes } from "./plain-event.js";
import { Problem } from "./problem.js";
import { limitRate } from "./rate-limit.js";
import { parseBody, readBody, receiveBody } from "./request-body.js";
import { inTurns } from "./turns.js";

const tag = "Tracking";

/** The tracker's routes: registrations, batches, definitions. */
export function addBatchRoutes(app: Hono, backend: Backend): void {
  const { db, clock, limits, registrations, definitions, metrics } = backend;
  const limitRegistrations = limitRate(limits.registrationsPerMinute);
  const limitBatches = limitRate(limits.batchesPerMinute);
  const inTurn = inTurns(limits.batchesAtOnce);

  app.post(
    "/v1/registrations",
    describe({
      summary: "Give a browser the right to write to one profile",
      tag,
      security: "apiKey",
      body: jsonSchemaOf(registrationRequestSchema),
      answer: {
        status: 200,
        description: "The registration.",
        schema: jsonSchemaOf(registrationAnswerSchema),
      },
      errors: [400, 401, 403, 413, 415, 429],
    }),
    async (c) => {
      const request = await readBody(c.req.raw, registrationRequestSchema, limits.bodyBytes);
      const answer = await registrations.create(credential(c.req.raw, "App"), request, limitRegistrations);
      return c.json(answer);
    },
  );

  // Too many operations are answered as too many bytes are: the tracker halves the batch.
  const countedSchema = v.pipe(
    quickBatchSchema,
    v.rawCheck(({ dataset }) => {
      if (dataset.typed && dataset.value.operations.length > limits.operationsPerBatch)
        throw new Problem(4130, `a batch holds at most ${limits.operationsPerBatch} operations`);
    }),
  );
  app.post(
    "/v1/batches",
    describe({
      summary: "Apply a batch of operations to the registration's profile",
      tag,
      security: "registration",
      parameters: [
        { name: "Content-Encoding", in: "header", schema: { type: "string", enum: ["gzip", "identity"] } },
      ],
      body: batchBody,
      answer: {
        status: 200,
        description: "A result for each operation, in the order of the request.",
        schema: jsonSchemaOf(batchAnswerSchema),
      },
      errors: [400, 401, 413, 415, 429],
    }),
    async (c) => {
      const registration = await registrations.find(credential(c.req.raw, "Bearer"));
      await limitBatches(registration.key);
      const results = await inTurn(
        registration.mergedInto ?? registration.key,
        async () => ({ body: await receiveBody(c.req.raw, limits.bodyBytes), receivedAt: clock() }),
        async ({ body, receivedAt }) => {
          const batch = parseBody(body, countedSchema, limits.bodyBytes);
          return applyBatch(db, registration, batch, receivedAt);
        },
      );
      metrics.operations(results);
      return c.json({ results });
    },
  );

  app.get(
    "/v1/definitions",
    describe({
      summary: "The custom events that may be tracked",
      tag,
      security: "registration",
      parameters: [{ name: "If-None-Match", in: "header", schema: { type: "string" } }],
      answer: {
        status: 200,
        description: "The definitions, with an `ETag`.",
        schema: jsonSchemaOf(definitionsAnswerSchema),
      },
      also: { 304: "They are still those of the `ETag`." },
      errors: [401],
    }),
    async (c) => {
      await registrations.find(credential(c.req.raw, "Bearer"));
      const answer = await definitions.list();
      const tag = `"${answer.version}"`;
      c.header("ETag", tag);
      c.header("Cache-Control", "private, no-cache");
      return isCurrent(c.req.header("if-none-match"), tag) ? c.body(null, 304) : c.json(answer);
    },
  );
}

/** The schema itself copies each operation to find nothing, nearly always. */
const quickBatchSchema = v.object({
  ...batchRequestSchema.entries,
  operations: v.lazy((input) =>
    haveEnvelopes(input)
      ? v.custom<{ id: string; type: string }[]>(() => true)
      : batchRequestSchema.entries.operations,
  ),
});

const batchSchema = jsonSchemaOf(batchRequestSchema);
/** The envelope asks for ids alone; what an operation must be to be accepted is more useful to read. */
const batchBody = {
  ...batchSchema,
  properties: {
    ...batchSchema.properties,
    operations: { ...batchSchema.properties?.["operations"], items: jsonSchemaOf(operationSchema) },
  },
} as typeof batchSchema;
