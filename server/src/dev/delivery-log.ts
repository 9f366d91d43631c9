import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { parsed } from "../../../src/protocol/schemas/parse.js";
import { batchAnswerSchema, errorBodySchema } from "../../../src/protocol/schemas/responses.js";

type Fetch = (request: Request, bindings: object) => Response | Promise<Response>;

/** Of the batches that the service has accepted, and has therefore checked. */
const batchSchema = v.object({ operations: v.array(v.looseObject({ id: v.string(), type: v.string() })) });
type Operation = v.InferOutput<typeof batchSchema>["operations"][number];

const MAX_LENGTH = 160;

/** Prints what became of each operation, and why a request was refused: one line each. */
export function logDeliveries(fetch: Fetch, print: (line: string) => void): Fetch {
  const refusedOrigins = new Set<string>();
  return async (request, bindings) => {
    const isBatch = request.method === "POST" && request.url.endsWith("/v1/batches");
    const sent = isBatch ? request.clone() : undefined;
    const response = await fetch(request, bindings);

    const origin = request.headers.get("Origin");
    if (origin && !response.headers.has("Access-Control-Allow-Origin") && !refusedOrigins.has(origin)) {
      refusedOrigins.add(origin);
      print(`✗ Pages of ${origin} may not call the service. Start it with --origin ${origin}`);
    }
    if (response.status >= 400) {
      const error = parsed(errorBodySchema, await response.clone().json());
      print(
        `✗ ${request.method} ${new URL(request.url).pathname} ${response.status}: ${error?.error.message}`,
      );
    } else if (sent) for (const line of await describeBatch(sent, response.clone())) print(line);
    return response;
  };
}

async function describeBatch(request: Request, response: Response): Promise<string[]> {
  const bytes = Buffer.from(await request.arrayBuffer());
  const body = request.headers.get("Content-Encoding") === "gzip" ? gunzipSync(bytes) : bytes;
  const batch = parsed(batchSchema, JSON.parse(body.toString()));
  const answer = parsed(batchAnswerSchema, await response.json());
  const results = new Map(answer?.results.map((result) => [result.id, result]));
  return (batch?.operations ?? []).flatMap((operation) => {
    const result = results.get(operation.id);
    if (!result || result.status === "duplicate") return [];
    const what = cut(describeOperation(operation));
    return result.error ? `✗ ${what} — ${result.error.message}` : `✓ ${what}`;
  });
}

/** An event by its id and properties, anything else by its type and content. */
const describeOperation = ({ type, definitionId, properties, person, attribute, item }: Operation): string =>
  [
    type === "event" ? definitionId : type,
    ...(attribute === undefined ? [] : [attribute]),
    ...[properties, person, item].filter(Boolean).map((each) => JSON.stringify(each)),
  ].join(" ");

const cut = (text: string): string => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
