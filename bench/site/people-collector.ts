/**
 * Responds to our own tracker with the minimum of the wire protocol: registrations, definitions, and a result for each
 * operation of a batch. It replaces the reference service, whose database would be measured too.
 */
import type {
  BatchAnswer,
  BatchRequest,
  DefinitionsAnswer,
  RegistrationAnswer,
} from "../../src/protocol/wire.js";
import { HOUR } from "../../src/protocol/wire.js";

const VERSION = "1";

const DEFINITIONS: DefinitionsAnswer = {
  version: VERSION,
  definitions: [
    {
      id: "benchmark",
      properties: {
        sequence: "numeric",
        name: "string",
        category: "string",
        product: "string",
        price: "decimal",
        currency: "string",
        quantity: "numeric",
        campaign: "string",
        label: "string",
      },
    },
  ],
};

export interface PeopleAnswer {
  status: number;
  body: RegistrationAnswer | DefinitionsAnswer | BatchAnswer | object;
}

export class PeopleCollector {
  readonly #known = new Set<string>();

  answer(path: string, body: string): PeopleAnswer {
    if (path.endsWith("/v1/registrations")) {
      const expiresAt = new Date(Date.now() + HOUR).toISOString();
      return {
        status: 200,
        body: { token: crypto.randomUUID(), expiresAt, expiresInMs: HOUR, definitionsVersion: VERSION },
      };
    }
    if (path.endsWith("/v1/definitions")) return { status: 200, body: DEFINITIONS };
    if (path.endsWith("/v1/batches"))
      return { status: 200, body: this.#take(JSON.parse(body) as BatchRequest) };
    return { status: 404, body: {} };
  }

  #take({ operations }: BatchRequest): BatchAnswer {
    const results = operations.map(({ id }) => {
      const status = this.#known.has(id) ? ("duplicate" as const) : ("accepted" as const);
      this.#known.add(id);
      return { id, status };
    });
    return { results };
  }
}
