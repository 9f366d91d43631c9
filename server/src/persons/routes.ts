import type { Context, Hono } from "hono";
import * as v from "valibot";
import { personSchema as fieldsSchema } from "../../../src/protocol/schemas/person.js";
import { READ_SCOPE, type ApiKeys } from "../credentials/api-keys.js";
import { findKey, requireScope } from "../http/authorization.js";
import { describe, jsonSchemaOf, type JsonSchema, type Parameter } from "../http/describe-route.js";
import type { Edge } from "../http/edge.js";
import { Problem } from "../http/problem.js";
import { CURSOR, TIMELINE_ORDERS, type Persons, type TimelineOrder } from "./persons.js";

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
const idParameter: Parameter = { name: "id", in: "path", required: true, schema: text };
const paging: Parameter[] = [
  { name: "after", in: "query", schema: { type: "string", pattern: CURSOR.source } },
  { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: PAGE_SIZE } },
];

const order: Parameter = {
  name: "order",
  in: "query",
  description: "Which entries come first, the oldest by default. A cursor is valid in both orders.",
  schema: { type: "string", enum: [...TIMELINE_ORDERS], default: "oldest" },
};

/** Reads the paging parameters of a request; throws a 400 if they are invalid. */
function readPage(c: Context): [limit: number, after: string | undefined] {
  const { limit = String(PAGE_SIZE), after } = c.req.query();
  if (!/^\d{1,4}$/.test(limit) || Number(limit) < 1 || Number(limit) > PAGE_SIZE)
    throw new Problem(4000, `limit must be between 1 and ${PAGE_SIZE}`);
  if (after !== undefined && after !== "" && !CURSOR.test(after))
    throw new Problem(4000, "after must be a cursor of this service");
  return [Number(limit), after || undefined];
}

function readOrder(c: Context): TimelineOrder {
  const { order: given = "oldest" } = c.req.query();
  const found = TIMELINE_ORDERS.find((name) => name === given);
  if (!found) throw new Problem(4000, `order must be one of ${TIMELINE_ORDERS.join(", ")}`);
  return found;
}

/** Reads the id of a person. Ids are UUIDs; anything else is a 404 without a query. */
const personId = (c: Context): string => {
  const id = c.req.param("id") ?? "";
  if (!v.is(v.pipe(v.string(), v.uuid()), id)) throw noPerson();
  return id.toLowerCase();
};
const noPerson = () => new Problem(4040, "there is no such person");

/** The routes that read persons and their timelines, with an API key of the scope `people:read`. */
export function addPersonRoutes(
  app: Hono,
  { keys, persons }: { keys: ApiKeys; persons: Persons },
  { authenticate }: Edge,
): void {
  const requireKey = async (c: Context): Promise<void> =>
    requireScope((await authenticate(c, "App", findKey(keys))).scopes, READ_SCOPE);
  app.get(
    "/v1/persons",
    describe({
      summary: "Leads and authenticated users, in the order of their creation",
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
      await requireKey(c);
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
      await requireKey(c);
      const found = await persons.find(personId(c));
      if (!found) throw noPerson();
      return c.json(found);
    },
  );
  app.get(
    "/v1/persons/:id/timeline",
    describe({
      summary: "A person's activity by corrected time, with that of merged visitors",
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
      await requireKey(c);
      const [limit, after] = readPage(c);
      const timeline = await persons.timeline(personId(c), readOrder(c), limit, after);
      if (!timeline) throw noPerson();
      return c.json(timeline);
    },
  );
}
