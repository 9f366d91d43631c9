import type { Hono } from "hono";
import { registrationRequestSchema } from "../../../src/protocol/schemas/requests.js";
import { registrationAnswerSchema } from "../../../src/protocol/schemas/responses.js";
import type { ApiKeys } from "../credentials/api-keys.js";
import { findKey, requireTrackingScope } from "../http/authorization.js";
import { describe, jsonSchemaOf } from "../http/describe-route.js";
import type { Edge } from "../http/edge.js";
import type { Limits } from "../http/limits.js";
import { limitRate } from "../http/rate-limit.js";
import { readBody, SMALL_BODY_BYTES } from "../http/request-body.js";
import type { Registrations } from "./registrations.js";

interface RegistrationBackend {
  keys: ApiKeys;
  limits: Limits;
  registrations: Registrations;
}

/** The route with which a tracker registers before its first batch. */
export function addRegistrationRoutes(
  app: Hono,
  { keys, limits, registrations }: RegistrationBackend,
  { addressOf, authenticate, inFlight }: Edge,
): void {
  const limitRegistrations = limitRate(limits.registrationsPerMinute);
  const limitAddress = limitRate(limits.registrationsPerAddressPerMinute);
  app.post(
    "/v1/registrations",
    describe({
      summary: "Give a browser the right to write to one profile",
      tag: "Tracking",
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
      // Anybody can read the key in a page's source, so registrations are also limited by address.
      if (address !== undefined) await limitAddress(address);
      return inFlight(address, async (reserve) => {
        const request = await readBody(c.req.raw, registrationRequestSchema, SMALL_BODY_BYTES, reserve);
        return c.json(await registrations.create(key.id, request, limitRegistrations));
      });
    },
  );
}
