import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { endSlowReader } from "./slow-readers.js";

/** Headers are small; who takes longer than this is not waiting for an answer. */
const HEADERS_TIMEOUT_MS = 10_000;
/** What {@link startHttpServer} does where its options are silent. */
export const HTTP_DEFAULTS = { answerTimeoutMs: 60_000 } as const;

/** How often slow requests are looked for. */
const CHECK_MS = 1_000;

export interface HttpServerOptions {
  host: string;
  port: number;
  /** How long a request may take to arrive, its body included; a 408 then. */
  requestTimeoutMs: number;
  /** How long an answer may take to be read, or the connection is cut off: 60 s. */
  answerTimeoutMs?: number;
  /** Connections at once; more are closed as they come. No limit by default. */
  maxConnections?: number;
}

export interface HttpServer {
  /** The one that the system chose, where 0 was asked for. */
  port: number;
  /** Accepts nothing new, answers what is under way, and ends. */
  stop: () => Promise<void>;
}

/** @throws an Error that says what to do where it cannot listen there */
export async function startHttpServer(
  fetch: (request: Request, bindings: object) => Response | Promise<Response>,
  {
    host,
    port,
    requestTimeoutMs,
    answerTimeoutMs = HTTP_DEFAULTS.answerTimeoutMs,
    maxConnections,
  }: HttpServerOptions,
): Promise<HttpServer> {
  const server = createAdaptorServer({
    fetch,
    serverOptions: {
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: CHECK_MS,
    },
  }) as Server;
  if (maxConnections !== undefined) server.maxConnections = maxConnections;

  const sockets = new Set<Socket>();
  const busy = new Set<Socket>();
  let isStopping = false;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.prependListener("request", ({ socket }, response) => {
    busy.add(socket);
    endSlowReader(response, answerTimeoutMs);
    response.once("close", () => busy.delete(socket));
    // A closed server goes on serving the connections that it has for as long as they are busy; this ends them.
    if (isStopping) response.shouldKeepAlive = false;
  });
  server.listen(port, host);
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "EADDRINUSE" ? "another process listens there" : error.message;
    throw new Error(`${host}:${port} cannot be listened on: ${reason}. Name another address (HOST, PORT).`, {
      cause: error,
    });
  });

  const stop = async (): Promise<void> => {
    isStopping = true;
    const closed = once(server, "close");
    server.close();
    // Node takes a connection on which nothing has come yet for a busy one, and browsers open such in advance.
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    // Nor does a closed server look for slow requests any more.
    setTimeout(() => server.closeAllConnections(), requestTimeoutMs).unref();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, stop };
}
