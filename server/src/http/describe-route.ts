import { toJsonSchema } from "@valibot/to-json-schema";
import { describeRoute, type DescribeRouteOptions } from "hono-openapi";
import type { MiddlewareHandler } from "hono";
import type { OpenAPIV3_1 } from "openapi-types";
import type * as v from "valibot";
import { definitionPropertiesSchema } from "../../../src/protocol/schemas/events.js";
import { errorBodySchema } from "../../../src/protocol/schemas/responses.js";
import { PROPERTY_TYPES } from "../../../src/protocol/wire.js";

export type JsonSchema = OpenAPIV3_1.SchemaObject;

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description?: string;
  schema: JsonSchema;
}

/** The first schema of a pipe, or the schema itself. */
const startOf = (schema: v.GenericSchema & { pipe?: readonly unknown[] }): unknown =>
  schema.pipe ? startOf(schema.pipe[0] as v.GenericSchema) : schema;

/**
 * Converts a Valibot schema to OpenAPI 3.1. Checks that JSON Schema cannot express are left out, so the document allows
 * everything that the service accepts, and a little more.
 */
export const jsonSchemaOf = (schema: v.GenericSchema): JsonSchema => {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    errorMode: "ignore",
    overrideSchema: ({ valibotSchema }) => {
      if (startOf(definitionPropertiesSchema) === valibotSchema)
        return { type: "object", additionalProperties: { enum: [...PROPERTY_TYPES] } };
      // The object check in front of every record.
      return valibotSchema.type === "custom" ? { type: "object" } : undefined;
    },
    overrideAction: ({ valibotAction, jsonSchema }) => {
      // A JSON Schema pattern is case-sensitive.
      const { requirement } = valibotAction as { requirement?: unknown };
      if (!(requirement instanceof RegExp && requirement.ignoreCase)) return undefined;
      const { pattern: __, ...caseless } = jsonSchema;
      return caseless;
    },
  });
  return rest as JsonSchema;
};

const ERROR_ANSWERS = {
  400: "The request is malformed.",
  401: "The credential is missing or not known, has expired or was withdrawn.",
  403: "The credential does not give this right.",
  404: "There is no such thing, or none that may be read.",
  413: "The body is too large.",
  415: "The content encoding is not supported.",
  429: "Too many requests; see `Retry-After`.",
} as const;
type ErrorStatus = keyof typeof ERROR_ANSWERS;

/** The errors of every route. */
const EVERYWHERE = {
  500: "Something went wrong.",
  503: "The database cannot be reached or does not answer in time, or more is in flight than fits; see `Retry-After`.",
};
const errorSchema = jsonSchemaOf(errorBodySchema);

type Security = "apiKey" | "registration" | "liveChat";

export interface RouteDescription {
  summary: string;
  tag: string;
  /** Any one of these credentials. */
  security?: Security | readonly Security[];
  body?: JsonSchema;
  parameters?: Parameter[];
  /** The successful response; without a schema it has no body. */
  answer: { status: number; description: string; schema?: JsonSchema; media?: string };
  also?: Record<number, string>;
  errors: readonly ErrorStatus[];
}

const json = (schema: JsonSchema, media = "application/json") => ({ [media]: { schema } });

/** Describes one route of the OpenAPI document. */
export function describe(route: RouteDescription): MiddlewareHandler {
  const errors = Object.fromEntries(route.errors.map((status) => [status, ERROR_ANSWERS[status]]));
  const { status, description, schema, media } = route.answer;
  return describeRoute({
    summary: route.summary,
    tags: [route.tag],
    security: [route.security ?? []].flat().map((each) => ({ [each]: [] })),
    // The library types parameters by OpenAPI 3.0.
    ...(route.parameters && { parameters: route.parameters as DescribeRouteOptions["parameters"] & object }),
    ...(route.body && { requestBody: { required: true, content: json(route.body) } }),
    responses: {
      [status]: { description, ...(schema && { content: json(schema, media) }) },
      ...Object.fromEntries(
        Object.entries(route.also ?? {}).map(([code, text]) => [code, { description: text }]),
      ),
      ...Object.fromEntries(
        Object.entries({ ...errors, ...EVERYWHERE }).map(([code, text]) => [
          code,
          { description: text, content: json(errorSchema) },
        ]),
      ),
    },
  });
}
