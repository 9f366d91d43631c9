import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";
import type { HttpBindings } from "@hono/node-server";
import type { MiddlewareHandler } from "hono";

import type { Profile } from "../../src/protocol/api.js";
import type { Feed, WireEntry, WireOperation } from "../demo-feed.js";

const KEPT_ENTRIES = 200;

/**
 * Logs the requests to the service and its responses, for the page to show: a page cannot see what its worker sends. The log
 * contains no tokens, keys or texts that people typed, but profiles, operations and definitions.
 */
export class WireLog {
  readonly #boot = randomUUID();
  #entries: WireEntry[] = [];
  #last = 0;

  since(n: number, boot: string, reachable: boolean): Feed {
    const after = boot === this.#boot ? n : 0;
    return { boot: this.#boot, reachable, entries: this.#entries.filter((entry) => entry.n > after) };
  }

  addCut = (request: IncomingMessage): void => {
    this.#add({
      at: new Date().toISOString(),
      method: request.method ?? "",
      path: (request.url ?? "").replace(/\?.*/, ""),
      status: "cut",
      tookMs: 0,
      bytes: 0,
    });
  };

  middleware: MiddlewareHandler<{ Bindings: HttpBindings }> = async (context, next) => {
    const startedAt = Date.now();
    const request = context.req.raw;
    const body = await readBody(request);
    if (!body) {
      this.addCut(context.env.incoming);
      return context.body(null, 400);
    }
    await next();
    const { bytes, value } = readJson(body, request.headers.get("content-encoding"));
    const answer = readJson(
      Buffer.from(await context.res.clone().arrayBuffer()),
      context.res.headers.get("content-encoding"),
    ).value;
    this.#add({
      at: new Date(startedAt).toISOString(),
      method: request.method,
      path: context.req.path,
      status: context.res.status,
      tookMs: Date.now() - startedAt,
      bytes,
      ...describe(value, answer),
      // The batch is applied, but the tracker cannot know that: it sends it again, and the service reports duplicates.
      ...(context.env.incoming.socket.destroyed && {
        error: "the connection was cut before the answer left",
      }),
    });
  };

  #add(entry: Omit<WireEntry, "n">): void {
    this.#entries = [...this.#entries, { n: ++this.#last, ...entry }].slice(-KEPT_ENTRIES);
  }
}

/** Reads the body of a copy, because a body can be read once; `null` if the connection ended first. */
async function readBody(request: Request): Promise<Buffer | null> {
  try {
    return Buffer.from(await request.clone().arrayBuffer());
  } catch {
    return null;
  }
}

function readJson(body: Buffer, encoding: string | null): { bytes: number; value: unknown } {
  try {
    const json = encoding === "gzip" ? gunzipSync(body, { maxOutputLength: 4 * 1024 * 1024 }) : body;
    return { bytes: json.length, value: JSON.parse(json.toString()) };
  } catch {
    return { bytes: body.length, value: null };
  }
}

type Loose = Record<string, unknown>;
const asRecord = (value: unknown): Loose =>
  typeof value === "object" && value !== null ? (value as Loose) : {};
const asList = (value: unknown): Loose[] => (Array.isArray(value) ? value.map(asRecord) : []);
const asText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function describe(request: unknown, answer: unknown): Pick<WireEntry, "profile" | "operations" | "error"> {
  const { profile, operations } = asRecord(request);
  const results = new Map(asList(asRecord(answer)["results"]).map((result) => [result["id"], result]));
  const error = asText(asRecord(asRecord(answer)["error"])["message"]);
  const { kind, id } = asRecord(profile);
  return {
    ...(typeof kind === "string" && typeof id === "string" && { profile: { kind, id } as Profile }),
    ...(Array.isArray(operations) && {
      operations: asList(operations).map((operation) =>
        describeOperation(operation, results.get(operation["id"])),
      ),
    }),
    ...(error !== undefined && { error }),
  };
}

function describeOperation(operation: Loose, result: Loose | undefined): WireOperation {
  const what =
    asText(operation["definitionId"]) ??
    asText(operation["attribute"]) ??
    Object.keys(asRecord(operation["person"])).join(", ");
  const status = asText(result?.["status"]);
  const error = asText(asRecord(result?.["error"])["message"]);
  return {
    id: asText(operation["id"]) ?? "",
    type: asText(operation["type"]) ?? "",
    ...(what && { what }),
    ...(status && { status }),
    ...(error && { error }),
  };
}
