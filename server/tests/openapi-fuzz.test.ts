import * as fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { errorBodySchema } from "../../src/protocol/schemas.js";
import { event } from "./operations.js";
import { iso, onEachDriver, sharedService, START, type Subject } from "./start-service.js";

/** Of JSON Schema what the document uses. */
interface Schema {
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  type?: string | string[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
}
interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  schema: Schema;
}
interface Route {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, unknown>;
  security: Record<string, unknown>[];
}

const text = fc.string({ unit: "binary", maxLength: 40 });

/** Values that a schema allows, or nearly. */
function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map(valuesOf));
  if (schema.allOf)
    return fc.tuple(...schema.allOf.map(valuesOf)).map((parts) => Object.assign({}, ...(parts as object[])));
  if (Array.isArray(schema.type))
    return fc.oneof(...schema.type.map((type) => valuesOf({ ...schema, type })));
  switch (schema.type ?? "any") {
    case "string":
      return stringsOf(schema);
    case "integer":
      return fc.integer();
    case "number":
      return fc.double({ noNaN: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(valuesOf(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 5, 5),
      });
    case "object":
      return objectsOf(schema);
    default:
      return fc.jsonValue();
  }
}

function stringsOf({ pattern, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (!pattern) return fc.string({ unit: "binary", minLength, maxLength: Math.min(maxLength, 40) });
  const matching = fc.stringMatching(new RegExp(pattern, "u"));
  return new RegExp(pattern, "u").test(iso(START))
    ? fc.oneof({ weight: 9, arbitrary: fc.constant(iso(START)) }, { weight: 1, arbitrary: matching })
    : matching;
}

function objectsOf({ properties = {}, required = [], additionalProperties }: Schema) {
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema)])),
    { requiredKeys: required },
  );
  const more = fc.dictionary(
    fc.oneof(fc.stringMatching(/^[a-z_]\w{0,8}$/), text),
    valuesOf(typeof additionalProperties === "object" ? additionalProperties : {}),
    { maxKeys: 3 },
  );
  return additionalProperties === false
    ? known
    : fc.tuple(known, more).map(([own, others]) => ({ ...others, ...own }));
}

/** A value with one thing in it replaced, at any depth. */
const mutated = (value: unknown, way: readonly number[], by: unknown): unknown => {
  const [step, ...rest] = way;
  if (step === undefined || value === null || typeof value !== "object") return by;
  const keys = Object.keys(value);
  if (!keys.length) return by;
  const key = keys[step % keys.length]!;
  const changed = mutated((value as Record<string, unknown>)[key], rest, by);
  return Array.isArray(value) ? value.with(Number(key), changed) : { ...value, [key]: changed };
};

const bodiesOf = (schema: Schema): fc.Arbitrary<string | Uint8Array<ArrayBuffer>> => {
  const valid = valuesOf(schema);
  return fc.oneof(
    { weight: 5, arbitrary: valid.map((value) => JSON.stringify(value)) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(valid, fc.array(fc.nat({ max: 20 }), { maxLength: 5 }), fc.jsonValue())
        .map((parts) => JSON.stringify(mutated(...parts))),
    },
    { weight: 1, arbitrary: fc.oneof(text, fc.json()) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => new Uint8Array(bytes)) },
  );
};

const headerText = fc.stringMatching(/^[\x21-\x7e\xa1-\xff]{0,30}$/);

interface Sent {
  route: Route;
  method: string;
  path: string;
  headers: Record<string, string>;
  raw?: string | Uint8Array;
}

/** Requests to one route, from what the document says of it. */
function requestsTo(
  path: string,
  method: string,
  route: Route,
  personId: string,
  credentials: Record<string, string[]>,
): fc.Arbitrary<Sent> {
  const right = route.security.flatMap((scheme) => Object.keys(scheme).flatMap((name) => credentials[name]!));
  const authorization = fc.oneof(
    { weight: right.length ? 8 : 0, arbitrary: fc.constantFrom(...right, "") },
    { weight: 1, arbitrary: fc.constantFrom(...Object.values(credentials).flat()) },
    { weight: 1, arbitrary: headerText },
  );
  const parameters = (place: Parameter["in"]) =>
    (route.parameters ?? []).filter((parameter) => parameter.in === place);
  const given = (
    place: Parameter["in"],
    garbage: fc.Arbitrary<string>,
  ): fc.Arbitrary<Record<string, string>> =>
    fc.record<Record<string, string>, string>(
      Object.fromEntries(
        parameters(place).map(({ name, schema }) => [name, fc.oneof(valuesOf(schema).map(String), garbage)]),
      ),
      { requiredKeys: [] },
    );
  const ids = fc.oneof(fc.constant(personId), fc.uuid(), fc.stringMatching(/^\w{1,12}$/), text);
  return fc
    .record({
      id: ids.filter((id) => !["", ".", ".."].includes(id)),
      query: given("query", text),
      headers: given("header", headerText),
      authorization,
      raw: route.requestBody
        ? bodiesOf(route.requestBody.content["application/json"]!.schema)
        : fc.constant(undefined),
    })
    .map(({ id, query, headers, authorization: credential, raw }) => ({
      route,
      method: method.toUpperCase(),
      path: `${path.replace("/people", "").replace("{id}", encodeURIComponent(id.toWellFormed()))}?${new URLSearchParams(query).toString()}`,
      headers: {
        ...Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name, value.replaceAll(/[^\x20-\xff]/g, "")]),
        ),
        authorization: credential,
      },
      ...(raw !== undefined && { raw }),
    }));
}

async function requestsOf(subject: Subject): Promise<{ requests: fc.Arbitrary<Sent>; routes: number }> {
  const { body } = await subject.call<{ paths: Record<string, Record<string, Route>> }>(
    "GET",
    "/openapi.json",
  );
  const lead = await subject.lead();
  await subject.send(lead.write, [event("sessionStarted", START)]);
  const visitor = await subject.visitor();
  const user = await subject.signIn();
  const credentials = {
    apiKey: [`App ${subject.adminKey}`, `App ${subject.trackingKey}`],
    registration: [`Bearer ${lead.write}`, `Bearer ${visitor.write}`],
    liveChat: [`Bearer ${lead.token}`, `Bearer ${user.token}`],
  };
  const routes = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, route]) =>
      requestsTo(path, method, route, lead.person.id, credentials),
    ),
  );
  return { requests: fc.oneof(...routes), routes: routes.length };
}

onEachDriver((driver) => {
  const shared = sharedService(driver);

  test("whatever the document allows, nearly allows or forbids, every answer is one that it lists", async () => {
    const subject = shared();
    const { requests, routes } = await requestsOf(subject);
    expect(routes).toBe(14);
    await fc.assert(
      fc.asyncProperty(requests, async ({ route, method, path, ...init }) => {
        const { status, body } = await subject.call<unknown>(method, path, init);
        expect(status).toBeLessThan(500);
        expect(Object.keys(route.responses)).toContain(String(status));
        expect(status < 400 || v.is(errorBodySchema, body)).toBe(true);
      }),
      { numRuns: 1500, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: false },
    );
  });
});
