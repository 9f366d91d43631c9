/** The People service's definitions, over HTTP. */
import {
  definitionsAnswerSchema,
  errorBodySchema,
  registrationAnswerSchema,
} from "../protocol/schemas/responses.js";
import { parsed } from "../protocol/schemas/parse.js";
import { SECOND, type EventDefinition } from "../protocol/wire.js";
import type { Environment } from "./command.js";

const TIMEOUT_MS = 30 * SECOND;

/** Any service registers a visitor before it tells its definitions. It is one for all runs, and never sends anything. */
const TOOL_VISITOR = { kind: "visitor", id: "00000000-0000-4000-8000-000000000000" };

const HINTS: Readonly<Record<number, string>> = {
  401: ". Check the key",
  404: ". Check the endpoint, which usually ends in /people",
};

export interface PeopleService {
  /** Sorted by id. */
  readDefinitions(): Promise<EventDefinition[]>;
  writeDefinition(definition: EventDefinition): Promise<void>;
}

/** @param endpoint - without a slash at its end */
export function openPeopleService(endpoint: string, key: string, fetch: Environment["fetch"]): PeopleService {
  const call = async (method: string, path: string, authorization: string, body?: unknown) => {
    const response = await fetch(`${endpoint}${path}`, {
      method,
      headers: { Authorization: authorization, ...(body ? { "Content-Type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw new Error(
        `${endpoint} does not answer (${reasonOf(error)}): is the People service running there?`,
        {
          cause: error,
        },
      );
    });
    const answer: unknown = await response.json().catch(() => null);
    return { status: response.status, answer };
  };
  const refuse = (request: string, { status, answer }: { status: number; answer: unknown }): never => {
    const error = parsed(errorBodySchema, answer)?.error;
    throw new Error(
      error
        ? `the People service refused ${request}: ${error.message} (${status}, code ${error.code})${HINTS[status] ?? ""}`
        : `${endpoint} answered ${request} with ${status} and not as a People service: is that the right endpoint? It usually ends in /people`,
    );
  };

  const register = async (): Promise<string> => {
    const answered = await call("POST", "/v1/registrations", `App ${key}`, { profile: TOOL_VISITOR });
    const registration = parsed(registrationAnswerSchema, answered.answer);
    if (answered.status !== 200 || !registration) return refuse("the key", answered);
    return registration.token;
  };

  return {
    async readDefinitions() {
      let answered = await call("GET", "/v1/definitions", `App ${key}`);
      // The wire protocol requires a registration here. The reference service accepts a key as well.
      if (answered.status === 401)
        answered = await call("GET", "/v1/definitions", `Bearer ${await register()}`);
      const definitions = parsed(definitionsAnswerSchema, answered.answer);
      if (answered.status !== 200 || !definitions) return refuse("to tell its definitions", answered);
      return definitions.definitions.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    },
    async writeDefinition({ id, ...body }) {
      const answered = await call("PUT", `/v1/definitions/${encodeURIComponent(id)}`, `App ${key}`, body);
      if (answered.status !== 200) refuse(`to define ${id}`, answered);
    },
  };
}

/** Node says "fetch failed", and gives the reason as the cause. */
const reasonOf = (error: unknown): string => {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code || cause?.message || message;
};
