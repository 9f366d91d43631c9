/** A server that speaks the wire protocol and only counts what arrives. It also serves the site whose pages track. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { extname, resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import type { BatchRequest } from "../../src/protocol/wire.js";

/** The port is fixed, because a kept browser profile stores its rows by origin. */
const PORT = 4179;
const FOLDERS: Record<string, string> = { "/sdk/": "dist", "/site/": "bench/outbox/site" };
const TYPES: Record<string, string> = { ".js": "text/javascript", ".html": "text/html; charset=utf-8" };

interface Arrival {
  at: number;
  operations: number;
}

export interface Collector {
  readonly origin: string;
  readonly arrived: { batches: Arrival[]; operations: number; bytes: number };
  /** Forgets what arrived. From now on it accepts batches, or responds with a long `Retry-After`. */
  reset(takes: boolean): void;
  close(): void;
}

const REGISTRATION = JSON.stringify({
  token: "token",
  expiresAt: "2100-01-01T00:00:00.000Z",
  expiresInMs: 3_600_000,
  definitionsVersion: "1",
});
const DEFINITIONS = JSON.stringify({
  version: "1",
  definitions: [{ id: "numbered", properties: { n: "numeric", padding: "string" } }],
});

export const startCollector = async (): Promise<Collector> => {
  let takes = false;
  let arrived: Collector["arrived"] = { batches: [], operations: 0, bytes: 0 };

  const takeBatch = async (request: IncomingMessage): Promise<string | null> => {
    const at = performance.now();
    const body = await buffer(request);
    if (!takes) return null;
    const json = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    const { operations } = JSON.parse(json.toString()) as BatchRequest;
    arrived.batches.push({ at, operations: operations.length });
    arrived.operations += operations.length;
    arrived.bytes += body.length;
    return JSON.stringify({ results: operations.map(({ id }) => ({ id, status: "accepted" })) });
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const json = (body: string) => response.setHeader("Content-Type", "application/json").end(body);
    if (path === "/people/v1/registrations") return void json(REGISTRATION);
    if (path === "/people/v1/definitions") return void json(DEFINITIONS);
    if (path === "/people/v1/batches") {
      const results = await takeBatch(request);
      if (results !== null) return void json(results);
      return void response.writeHead(503, { "Retry-After": "100000" }).end("{}");
    }
    const prefix = Object.keys(FOLDERS).find((folder) => path.startsWith(folder));
    if (!prefix) return void response.writeHead(404).end();
    const file = resolve(FOLDERS[prefix] as string, path.slice(prefix.length));
    response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream");
    response.end(await readFile(file));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(PORT, "127.0.0.1", listening);
  });
  return {
    origin: `http://127.0.0.1:${PORT}`,
    get arrived() {
      return arrived;
    },
    reset(value) {
      takes = value;
      arrived = { batches: [], operations: 0, bytes: 0 };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** Operations per second, from the arrival of one batch to that of the last. The first two batches are warm-up. */
export const arrivalRate = ({ batches }: Collector["arrived"]): number => {
  const counted = batches.slice(2);
  const [first, last] = [counted[0], counted.at(-1)];
  if (!first || !last || first === last) return NaN;
  const operations = counted.slice(0, -1).reduce((sum, batch) => sum + batch.operations, 0);
  return (1_000 * operations) / (last.at - first.at);
};
