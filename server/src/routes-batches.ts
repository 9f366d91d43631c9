import type { Hono } from "hono";
import * as v from "valibot";
import {
  batchRequestSchema,
  operationSchema,
  registrationRequestSchema,
} from "../../src/protocol/schemas/requests.js";
import {
  batchAnswerSchema,
  definitionsAnswerSchema,
  registrationAnswerSchema,
} from "../../src/protocol/schemas/responses.js";
import type { Backend, Edge } from "./app.js";
import { limitAtOnce } from "./at-once.js";
import { findKey, requireTrackingScope } from "./authorization.js";
import { applyBatch } from "./batch.js";
import { describe, jsonSchemaOf } from "./describe.js";
import { isCurrent } from "./entity-tag.js";
import { REQUEST_BYTES } from "./limits.js";
import { haveEnvelopes } from "./plain-event.js";
import { Problem } from "./problem.js";
import { limitRate } from "./rate-limit.js";
import { parseBody, readBody, receiveBody, SMALL_BODY_BYTES, unpackedLength } from "./request-body.js";
import { fairTurns } from "./turns.js";

const tag = "Tracking";

/** The tracker's routes: registrations, batches, definitions. */
export function addBatchRoutes(app: Hono, backend: Backend, edge: Edge): void {
  const { db, clock, limits, keys, registrations, definitions, metrics } = backend;
  const { addressOf, authenticate, inFlight } = edge;
  const limitRegistrations = limitRate(limits.registrationsPerMinute);
  const limitAddress = limitRate(limits.registrationsPerAddressPerMinute);
  const limitBatches = limitRate(limits.batchesPerMinute);
  const atOnce = limitAtOnce(limits.batchesAtOnce);
  const inTurn = fairTurns(limits.batchesAtWork);

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
      const key = await authenticate(c, "App", findKey(keys));
      requireTrackingScope(key.scopes);
      const address = addressOf(c);
      // Anybody can read the key in a page's source.
      if (address !== undefined) await limitAddress(address);
      return inFlight(address, async (take) => {
        const request = await readBody(c.req.raw, registrationRequestSchema, SMALL_BODY_BYTES, take);
        return c.json(await registrations.create(key.id, request, limitRegistrations));
      });
    },
  );

  // Too many operations are answered as too many bytes are: the tracker halves the batch.
  const countedSchema = v.pipe(
    v.unknown(),
    v.rawCheck(({ dataset }) => {
      // Counted before any of them is looked at.
      if (countOperations(dataset.value) > limits.operationsPerBatch)
        throw new Problem(4130, `a batch holds at most ${limits.operationsPerBatch} operations`);
    }),
    quickBatchSchema,
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
      const registration = await authenticate(c, "Bearer", (token) => registrations.find(token));
      await limitBatches(registration.key);
      const profile = registration.mergedInto ?? registration.key;
      const results = await atOnce(profile, () =>
        inFlight(addressOf(c), async (take) => {
          // Before its turn: whoever sends slowly holds nobody up.
          const body = await receiveBody(c.req.raw, limits.bodyBytes, take);
          const receivedAt = clock();
          return inTurn(profile, REQUEST_BYTES + unpackedLength(body), () =>
            applyBatch(db, registration, parseBody(body, countedSchema, limits.bodyBytes), receivedAt),
          );
        }),
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
      errors: [401, 429],
    }),
    async (c) => {
      await authenticate(c, "Bearer", (token) => registrations.find(token));
      const answer = await definitions.list();
      const tag = `"${answer.version}"`;
      c.header("ETag", tag);
      c.header("Cache-Control", "private, no-cache");
      return isCurrent(c.req.header("if-none-match"), tag) ? c.body(null, 304) : c.json(answer);
    },
  );
}

const countOperations = (input: unknown): number => {
  const operations = (input as { operations?: unknown } | null)?.operations;
  return Array.isArray(operations) ? operations.length : 0;
};

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
