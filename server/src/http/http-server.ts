import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { endSlowReader } from "./slow-readers.js";

/** Headers are small: a client that takes longer than this is broken or hostile. */
const HEADERS_TIMEOUT_MS = 10_000;
/** The defaults of {@link HttpServerOptions}. */
export const HTTP_DEFAULTS = { answerTimeoutMs: 60_000 } as const;

/** The interval at which Node checks for slow requests. */
const CHECK_MS = 1_000;

export interface HttpServerOptions {
  host: string;
  port: number;
  /** The time in which a request with its body must arrive; a 408 otherwise. */
  requestTimeoutMs: number;
  /** The time in which a client must read its response, or the connection is closed: 60 s. */
  answerTimeoutMs?: number;
  /** The maximum number of connections; more are closed on arrival. No limit by default. */
  maxConnections?: number;
}

export interface HttpServer {
  /** The port on which it listens; if 0 was given, the one that the system chose. */
  port: number;
  /** Stops accepting connections, finishes pending requests, and closes. */
  stop: () => Promise<void>;
}

/** @throws an Error that says what to do if it cannot listen on the address */
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
    // A closed server keeps serving its keep-alive connections; this closes each after its response.
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
    // Node counts a connection without a request as busy, and browsers open such connections in advance.
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    // A closed server no longer checks for slow requests.
    setTimeout(() => server.closeAllConnections(), requestTimeoutMs).unref();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, stop };
}
