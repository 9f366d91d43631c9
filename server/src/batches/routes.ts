import type { Hono } from "hono";
import { compress } from "hono/compress";
import * as v from "valibot";
import { batchRequestSchema, operationSchema } from "../../../src/protocol/schemas/requests.js";
import { batchAnswerSchema } from "../../../src/protocol/schemas/responses.js";
import type { Database } from "../database/database.js";
import { REQUEST_BYTES } from "../http/bytes-in-flight.js";
import { limitConcurrency } from "../http/concurrency-limit.js";
import { describe, jsonSchemaOf } from "../http/describe-route.js";
import type { Edge } from "../http/edge.js";
import type { Limits } from "../http/limits.js";
import { jsonResponse } from "../http/json-response.js";
import { Problem } from "../http/problem.js";
import { limitRate } from "../http/rate-limit.js";
import { parseBody, receiveBody, unpackedLength } from "../http/request-body.js";
import type { Registrations } from "../registrations/registrations.js";
import type { Metrics } from "../runtime/metrics.js";
import { applyBatch } from "./apply-batch.js";
import { createFairQueue } from "./fair-queue.js";
import { haveValidEnvelopes } from "./plain-event.js";

interface BatchBackend {
  db: Database;
  clock: () => number;
  limits: Limits;
  registrations: Registrations;
  metrics: Metrics;
}

/** Below it compression saves less than a packet. */
const COMPRESSED_FROM_BYTES = 1024;

/** The route to which trackers send batches. */
export function addBatchRoutes(app: Hono, backend: BatchBackend, edge: Edge): void {
  const { db, clock, limits, registrations, metrics } = backend;
  const { addressOf, authenticate, inFlight } = edge;
  const limitBatches = limitRate(limits.batchesPerMinute);
  const withinConcurrency = limitConcurrency(limits.batchesAtOnce);
  const enqueue = createFairQueue(limits.batchesAtWork);

  // Too many operations are a 413, as too many bytes are: the tracker answers it with smaller batches.
  const countedSchema = v.pipe(
    v.unknown(),
    v.rawCheck(({ dataset }) => {
      // Counted before any operation is validated.
      if (countOperations(dataset.value) > limits.operationsPerBatch)
        throw new Problem(4130, `a batch holds at most ${limits.operationsPerBatch} operations`);
    }),
    quickBatchSchema,
  );
  app.post(
    "/v1/batches",
    // Results repeat themselves: those of 200 operations take 1 KB instead of 10. They hold no secret that their length could
    // give away, so no other route's responses are compressed.
    compress({ encoding: "gzip", threshold: COMPRESSED_FROM_BYTES }),
    describe({
      summary: "Apply a batch of operations to the registration's profile",
      tag: "Tracking",
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
      const results = await withinConcurrency(profile, () =>
        inFlight(addressOf(c), async (reserve) => {
          // Received before it is queued, so that a slow sender blocks nobody.
          const body = await receiveBody(c.req.raw, limits.bodyBytes, reserve);
          const receivedAt = clock();
          return enqueue(profile, REQUEST_BYTES + unpackedLength(body), () =>
            applyBatch(db, registration, parseBody(body, countedSchema, limits.bodyBytes), receivedAt),
          );
        }),
      );
      metrics.operations(results);
      return jsonResponse({ results });
    },
  );
}

const countOperations = (input: unknown): number => {
  const operations = (input as { operations?: unknown } | null)?.operations;
  return Array.isArray(operations) ? operations.length : 0;
};

/** Skips the envelope's schema, which copies each operation, if a cheaper check shows that the schema would accept the list. */
const quickBatchSchema = v.object({
  ...batchRequestSchema.entries,
  operations: v.lazy((input) =>
    haveValidEnvelopes(input)
      ? v.custom<{ id: string; type: string }[]>(() => true)
      : batchRequestSchema.entries.operations,
  ),
});

const batchSchema = jsonSchemaOf(batchRequestSchema);
/** The envelope requires only ids. The document describes what an operation must be to be accepted. */
const batchBody = {
  ...batchSchema,
  properties: {
    ...batchSchema.properties,
    operations: { ...batchSchema.properties?.["operations"], items: jsonSchemaOf(operationSchema) },
  },
} as typeof batchSchema;
