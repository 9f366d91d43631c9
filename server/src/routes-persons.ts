import type { Context, Hono } from "hono";
import * as v from "valibot";
import { firstProblem } from "../../src/protocol/schemas/parse.js";
import { personSchema as fieldsSchema } from "../../src/protocol/schemas/person.js";
import type { Backend, Edge } from "./app.js";
import { findKey, requireScope } from "./authorization.js";
import { definitionBodySchema, newDefinitionIdSchema } from "./definitions.js";
import { describe, jsonSchemaOf, type JsonSchema, type Parameter } from "./describe.js";
import { isCursor, TIMELINE_ORDERS, type TimelineOrder } from "./persons.js";
import { Problem } from "./problem.js";
import { readBody, SMALL_BODY_BYTES } from "./request-body.js";

const READ = "people:read";
const MANAGE = "people:manage";
const PAGE_SIZE = 1000;

const text: JsonSchema = { type: "string" };
const time: JsonSchema = { type: "string", format: "date-time" };
const next: JsonSchema = {
  type: ["string", "null"],
  description: "`after` of the next page; null on the last.",
};
const object = (properties: Record<string, JsonSchema>, required: string[]): JsonSchema => ({
  type: "object",
  properties,
  required,
});

const fields = jsonSchemaOf(fieldsSchema) as { properties: Record<string, JsonSchema> };
const person = object(
  {
    ...fields.properties,
    id: text,
    kind: { enum: ["lead", "authenticated"] },
    createdAt: time,
    lastActivityAt: time,
  },
  ["id", "kind", "createdAt", "lastActivityAt"],
);
const entry = object(
  {
    cursor: text,
    type: { const: "event" },
    id: text,
    definitionId: text,
    sessionId: text,
    occurredAt: time,
    givenAt: time,
    receivedAt: time,
    properties: { type: "object" },
    page: object({ url: text, title: text }, ["url", "title"]),
    closedBy: { const: "service" },
  },
  ["cursor", "type", "definitionId", "sessionId", "occurredAt", "givenAt", "receivedAt"],
);
const definition = object(
  { id: text, title: text, properties: { type: "object", additionalProperties: text } },
  ["id", "properties"],
);

const idParameter: Parameter = { name: "id", in: "path", required: true, schema: text };
const paging: Parameter[] = [
  { name: "after", in: "query", schema: { type: "string", pattern: String.raw`^\d{1,15}-\d{1,15}$` } },
  { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: PAGE_SIZE } },
];

const order: Parameter = {
  name: "order",
  in: "query",
  description: "Which entries come first, the oldest by default. A cursor is good for either order.",
  schema: { type: "string", enum: [...TIMELINE_ORDERS], default: "oldest" },
};

/** What a page of a list asks for; a 400 where it is not one. */
function readPage(c: Context): [limit: number, after: string | undefined] {
  const { limit = String(PAGE_SIZE), after } = c.req.query();
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > PAGE_SIZE)
    throw new Problem(4000, `limit must be between 1 and ${PAGE_SIZE}`);
  if (after !== undefined && after !== "" && !isCursor(after))
    throw new Problem(4000, "after must be a cursor of this service");
  return [Number(limit), after || undefined];
}

function readOrder(c: Context): TimelineOrder {
  const { order: given = "oldest" } = c.req.query();
  const found = TIMELINE_ORDERS.find((name) => name === given);
  if (!found) throw new Problem(4000, `order must be one of ${TIMELINE_ORDERS.join(", ")}`);
  return found;
}

/** Our ids are UUIDs; nothing else need reach the database. */
const personId = (c: Context): string => {
  const id = c.req.param("id") ?? "";
  if (!v.is(v.pipe(v.string(), v.uuid()), id)) throw noPerson();
  return id.toLowerCase();
};
const noPerson = () => new Problem(4040, "there is no such person");

/** Reading back and managing, with an admin's API key. */
export function addPersonRoutes(app: Hono, { keys, persons, definitions }: Backend, edge: Edge): void {
  const { addressOf, authenticate, inFlight } = edge;
  const requireKey = async (c: Context, scope: string): Promise<void> =>
    requireScope((await authenticate(c, "App", findKey(keys))).scopes, scope);
  app.get(
    "/v1/persons",
    describe({
      summary: "Leads and authenticated users, in the order in which they came to be",
      tag: "Persons",
      security: "apiKey",
      parameters: paging,
      answer: {
        status: 200,
        description: "A page of persons.",
        schema: object({ persons: { type: "array", items: person }, next }, ["persons", "next"]),
      },
      errors: [400, 401, 403, 429],
    }),
    async (c) => {
      await requireKey(c, READ);
      return c.json(await persons.list(...readPage(c)));
    },
  );
  app.get(
    "/v1/persons/:id",
    describe({
      summary: "A lead or an authenticated user; a visitor cannot be read",
      tag: "Persons",
      security: "apiKey",
      parameters: [idParameter],
      answer: { status: 200, description: "The person.", schema: person },
      errors: [401, 403, 404, 429],
    }),
    async (c) => {
      await requireKey(c, READ);
      const found = await persons.find(personId(c));
      if (!found) throw noPerson();
      return c.json(found);
    },
  );
  app.get(
    "/v1/persons/:id/timeline",
    describe({
      summary: "A person's activity by corrected time, merged visitors' among it",
      tag: "Persons",
      security: "apiKey",
      parameters: [idParameter, order, ...paging],
      answer: {
        status: 200,
        description: "A page of the timeline.",
        schema: object({ entries: { type: "array", items: entry }, next }, ["entries", "next"]),
      },
      errors: [400, 401, 403, 404, 429],
    }),
    async (c) => {
      await requireKey(c, READ);
      const [limit, after] = readPage(c);
      const timeline = await persons.timeline(personId(c), readOrder(c), limit, after);
      if (!timeline) throw noPerson();
      return c.json(timeline);
    },
  );
  app.put(
    "/v1/definitions/:id",
    describe({
      summary: "Define a custom event, or replace its definition",
      tag: "Definitions",
      security: "apiKey",
      parameters: [idParameter],
      body: jsonSchemaOf(definitionBodySchema),
      answer: { status: 200, description: "The definition.", schema: definition },
      errors: [400, 401, 403, 413, 415, 429],
    }),
    async (c) => {
      await requireKey(c, MANAGE);
      const id = c.req.param("id");
      const problem = firstProblem(newDefinitionIdSchema, id, "id");
      if (problem) throw new Problem(4000, problem);
      return inFlight(addressOf(c), async (take) => {
        const body = await readBody(c.req.raw, definitionBodySchema, SMALL_BODY_BYTES, take);
        return c.json(await definitions.put({ id, ...body }));
      });
    },
  );
}
