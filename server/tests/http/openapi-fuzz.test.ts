import * as fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { errorBodySchema } from "../../../src/protocol/schemas/responses.js";
import type { BatchAnswer } from "../../../src/protocol/wire.js";
import { event } from "../support/operations.js";
import { iso, onEachDriver, sharedService, signJwt, START, type Subject } from "../support/start-service.js";

/** The part of JSON Schema that the document uses. */
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
  minimum?: number;
  maximum?: number;
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

/** Placeholders, which are replaced by valid and unused credentials when a request is sent. */
const FRESH_JWT = "a JWT of the widget";
const FRESH_CHAT = "Bearer a-chat-just-started";
/** Values by property that the schema does not describe. */
const KNOWN: Record<string, fc.Arbitrary<string>> = {
  jwt: fc.constant(FRESH_JWT),
  id: fc.uuid(),
  definitionId: fc.constantFrom("pageView", "sessionStarted", "sessionEnded"),
};

const mostly = <Value>(usual: fc.Arbitrary<Value>, other: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 6, arbitrary: usual }, { weight: 1, arbitrary: other });

/** Values that a schema allows or almost allows. */
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
      return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: schema.maximum ?? 2 ** 31 - 1 });
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
    Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [
        name,
        KNOWN[name] ? mostly(KNOWN[name], valuesOf(schema)) : valuesOf(schema),
      ]),
    ),
    { requiredKeys: required },
  );
  const more = fc.dictionary(
    mostly(fc.stringMatching(/^[a-z_]\w{0,8}$/), text),
    valuesOf(typeof additionalProperties === "object" ? additionalProperties : {}),
    { maxKeys: 3 },
  );
  return additionalProperties === false
    ? known
    : fc.tuple(known, more).map(([own, others]) => ({ ...others, ...own }));
}

/** A value in which one part is replaced, at any depth. */
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
    { weight: 8, arbitrary: valid.map((value) => JSON.stringify(value)) },
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
  /** Method and path as the document has them. */
  name: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  raw?: string | Uint8Array;
}

/** Requests to one route, generated from its description. */
function requestsTo(
  path: string,
  method: string,
  route: Route,
  personId: string,
  credentials: Record<string, string[]>,
): fc.Arbitrary<Sent> {
  const right = route.security.flatMap((scheme) => Object.keys(scheme).flatMap((name) => credentials[name]!));
  const authorization = fc.oneof(
    { weight: 8, arbitrary: right.length ? fc.constantFrom(...right) : fc.constant("") },
    { weight: 1, arbitrary: fc.constantFrom(...Object.values(credentials).flat(), "") },
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
        parameters(place).map(({ name, schema }) => [
          name,
          fc.oneof({ weight: 4, arbitrary: valuesOf(schema).map(String) }, { weight: 1, arbitrary: garbage }),
        ]),
      ),
      { requiredKeys: [] },
    );
  const ids = mostly(
    path.includes("/persons") ? fc.constant(personId) : fc.stringMatching(/^[a-zA-Z0-9]{1,12}$/),
    fc.oneof(fc.uuid(), fc.stringMatching(/^\w{1,12}$/), text),
  );
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
      name: `${method.toUpperCase()} ${path}`,
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

async function requestsOf(subject: Subject): Promise<fc.Arbitrary<Sent>[]> {
  const { body } = await subject.call<{ paths: Record<string, Record<string, Route>> }>(
    "GET",
    "/openapi.json",
  );
  const lead = await subject.lead();
  await subject.send(lead.write, [event("sessionStarted", START)]);
  const visitor = await subject.visitor();
  const user = await subject.signIn();
  const [tracking, admin] = [`App ${subject.trackingKey}`, `App ${subject.adminKey}`];
  const credentials = {
    registration: [`Bearer ${lead.write}`, `Bearer ${visitor.write}`],
    liveChat: [FRESH_CHAT, `Bearer ${lead.token}`, `Bearer ${user.token}`],
  };
  return Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, route]) =>
      requestsTo(path, method, route, lead.person.id, {
        ...credentials,
        apiKey: path.endsWith("/registrations") ? [tracking, tracking, admin] : [admin, admin, tracking],
      }),
    ),
  );
}

/** Renews what a successful request uses up. */
async function freshened(subject: Subject, { headers, raw }: Sent): Promise<Pick<Sent, "headers" | "raw">> {
  const isChat = headers["authorization"] === FRESH_CHAT;
  const isJwt = typeof raw === "string" && raw.includes(FRESH_JWT);
  return {
    headers: isChat ? { ...headers, authorization: `Bearer ${(await subject.startChat()).token}` } : headers,
    ...(raw !== undefined && { raw: isJwt ? raw.replaceAll(FRESH_JWT, await signJwt(START)) : raw }),
  };
}

/** Counts the statuses of each route. */
class Tally {
  readonly #counts = new Map<string, Map<string, number>>();
  add(name: string, answer: string): void {
    const counts = this.#counts.get(name) ?? new Map<string, number>();
    this.#counts.set(name, counts.set(answer, (counts.get(answer) ?? 0) + 1));
  }
  names = (isIt: (answer: string) => boolean): string[] =>
    [...this.#counts].filter(([, counts]) => [...counts.keys()].some(isIt)).map(([name]) => name);
  toString = (): string =>
    [...this.#counts]
      .map(([name, counts]) => `${name}: ${[...counts].map((count) => count.join(" × ")).join(", ")}`)
      .join("\n");
}

/** Each run sends requests to every route, one route after the other. */
const ROUNDS = 2;
const RUNS_PER_ROUND = 50;
/** Time for 1,400 requests, and for shrinking a failure, on a busy machine. */
const TIMEOUT_MS = 180_000;

describe("requests made from the OpenAPI document", () => {
  onEachDriver((driver) => {
    const shared = sharedService(driver);

    test(
      "whatever the document allows, nearly allows or forbids, every answer is one that it lists, and each route is reached",
      { timeout: TIMEOUT_MS },
      async () => {
        const subject = shared();
        const routes = await requestsOf(subject);
        expect(routes).toHaveLength(15);
        const tally = new Tally();
        const outcomes = new Tally();
        for (let round = 0; round < ROUNDS; round++)
          for (const requests of routes)
            await fc.assert(
              fc.asyncProperty(requests, async (sent) => {
                const { route, name, method, path } = sent;
                const { status, body } = await subject.call<unknown>(
                  method,
                  path,
                  await freshened(subject, sent),
                );
                tally.add(name, String(status));
                expect(status).toBeLessThan(500);
                expect(Object.keys(route.responses)).toContain(String(status));
                expect(status < 400 || v.is(errorBodySchema, body)).toBe(true);
                if (name.endsWith("/batches") && status === 200)
                  for (const result of (body as BatchAnswer).results) outcomes.add(name, result.status);
              }),
              { numRuns: RUNS_PER_ROUND },
            );
        expect(
          tally.names((answer) => answer.startsWith("2")),
          tally.toString(),
        ).toHaveLength(15);
        // A batch whose operations are all rejected is a 200, too.
        expect(
          outcomes.names((outcome) => outcome === "accepted"),
          outcomes.toString(),
        ).toHaveLength(1);
      },
    );
  });
});
