import type { Hono } from "hono";
import { definitionBodySchema, newDefinitionIdSchema } from "../../../src/protocol/schemas/definitions.js";
import { firstProblem } from "../../../src/protocol/schemas/parse.js";
import { definitionsAnswerSchema } from "../../../src/protocol/schemas/responses.js";
import { MANAGE_SCOPE, type ApiKeys } from "../credentials/api-keys.js";
import { findKey, isSentWith, requireScope } from "../http/authorization.js";
import { describe, jsonSchemaOf, type JsonSchema } from "../http/describe-route.js";
import type { Edge } from "../http/edge.js";
import { isCurrent } from "../http/entity-tag.js";
import { Problem } from "../http/problem.js";
import { readBody, SMALL_BODY_BYTES } from "../http/request-body.js";
import type { Registrations } from "../registrations/registrations.js";
import type { Definitions } from "./definitions.js";

const definitionSchema: JsonSchema = {
  type: "object",
  properties: {
    id: { type: "string" },
    title: { type: "string" },
    properties: { type: "object", additionalProperties: { type: "string" } },
  },
  required: ["id", "properties"],
};

interface DefinitionBackend {
  definitions: Definitions;
  keys: ApiKeys;
  registrations: Registrations;
}

/**
 * The routes with which trackers read the definitions of custom events and admins write them. Tools read them with an API
 * key of any scope, which gives nothing away: a tracking key can register, and read them then.
 */
export function addDefinitionRoutes(
  app: Hono,
  { definitions, keys, registrations }: DefinitionBackend,
  { addressOf, authenticate, inFlight }: Edge,
): void {
  app.get(
    "/v1/definitions",
    describe({
      summary: "The custom events that may be tracked",
      tag: "Tracking",
      security: ["registration", "apiKey"],
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
      if (isSentWith(c.req.raw, "App")) await authenticate(c, "App", findKey(keys));
      else await authenticate(c, "Bearer", (token) => registrations.find(token));
      const answer = await definitions.list();
      const tag = `"${answer.version}"`;
      c.header("ETag", tag);
      c.header("Cache-Control", "private, no-cache");
      return isCurrent(c.req.header("if-none-match"), tag) ? c.body(null, 304) : c.json(answer);
    },
  );
  app.put(
    "/v1/definitions/:id",
    describe({
      summary: "Define a custom event, or replace its definition",
      tag: "Definitions",
      security: "apiKey",
      parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
      body: jsonSchemaOf(definitionBodySchema),
      answer: { status: 200, description: "The definition.", schema: definitionSchema },
      errors: [400, 401, 403, 413, 415, 429],
    }),
    async (c) => {
      requireScope((await authenticate(c, "App", findKey(keys))).scopes, MANAGE_SCOPE);
      const id = c.req.param("id");
      const problem = firstProblem(newDefinitionIdSchema, id, "id");
      if (problem) throw new Problem(4000, problem);
      return inFlight(addressOf(c), async (reserve) => {
        const body = await readBody(c.req.raw, definitionBodySchema, SMALL_BODY_BYTES, reserve);
        return c.json(await definitions.put({ id, ...body }));
      });
    },
  );
}
