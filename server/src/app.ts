import { Hono } from "hono";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import type { Logger } from "pino";
import { addressReader, type AddressOf, type TrustProxy } from "./address.js";
import type { ApiKeys } from "./api-keys.js";
import { createAuthenticator, type Authenticate } from "./authorization.js";
import { limitBytesInFlight } from "./bytes-in-flight.js";
import { isUnavailable, type Database } from "./database.js";
import type { Definitions } from "./definitions.js";
import type { LiveChat } from "./live-chat.js";
import { loggedError } from "./logged-error.js";
import type { Metrics } from "./metrics.js";
import type { Limits } from "./limits.js";
import type { Persons } from "./persons.js";
import { Problem } from "./problem.js";
import type { Registrations } from "./registrations.js";
import { addBatchRoutes } from "./routes-batches.js";
import { addLiveChatRoutes } from "./routes-live-chat.js";
import { addOperationsRoutes } from "./routes-operations.js";
import { addPersonRoutes } from "./routes-persons.js";

/** What the routes work with. */
export interface Backend {
  db: Database;
  /** Throws where the database does not answer. */
  health: () => Promise<void>;
  clock: () => number;
  logger: Logger;
  metrics: Metrics;
  limits: Limits;
  keys: ApiKeys;
  definitions: Definitions;
  registrations: Registrations;
  liveChat: LiveChat;
  persons: Persons;
}

/** What stands before the work of every route. */
export interface Edge {
  addressOf: AddressOf;
  authenticate: Authenticate;
  inFlight: ReturnType<typeof limitBytesInFlight>;
}

/** Longer than any path that there is: what a client makes up does not fill the logs. */
const LOGGED_PATH_LENGTH = 200;

export interface AppOptions {
  basePath: string;
  corsOrigins: readonly string[];
  trustProxy: TrustProxy | undefined;
}

export function createApp(backend: Backend, { basePath, corsOrigins, trustProxy }: AppOptions): Hono {
  const { logger, metrics, limits } = backend;
  const addressOf = addressReader(trustProxy, () =>
    logger.warn(
      "requests carry X-Forwarded-For, which is not looked at: set TRUST_PROXY, or all clients behind the proxy are " +
        "limited as one address; 0 where there is no proxy",
    ),
  );
  const edge: Edge = {
    addressOf,
    authenticate: createAuthenticator(limits.failedAuthenticationsPerMinute, addressOf),
    inFlight: limitBytesInFlight(limits.bytesInFlight, limits.bytesInFlightPerAddress),
  };
  const app = new Hono().basePath(basePath);

  app.use("*", async (c, next) => {
    const startedAt = performance.now();
    await next();
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "no-referrer");
    c.header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
    const durationMs = performance.now() - startedAt;
    const { method } = c.req;
    metrics.request(method, routePath(c, -1), c.res.status, durationMs);
    // The path alone: queries and headers may hold what is nobody's business.
    logger.info(
      { method, path: c.req.path.slice(0, LOGGED_PATH_LENGTH), status: c.res.status, durationMs },
      "request",
    );
  });
  app.use(
    "*",
    cors({
      origin: (origin) => (corsOrigins.includes("*") ? "*" : corsOrigins.includes(origin) ? origin : null),
      allowMethods: ["GET", "POST", "PUT", "DELETE"],
      allowHeaders: ["Authorization", "Content-Type", "Content-Encoding", "If-None-Match"],
      exposeHeaders: ["Retry-After", "ETag"],
      maxAge: 7200,
    }),
  );

  addBatchRoutes(app, backend, edge);
  addLiveChatRoutes(app, backend, edge);
  addPersonRoutes(app, backend, edge);
  addOperationsRoutes(app, backend);

  app.notFound((c) => answer(new Problem(4040, `there is no ${c.req.method} ${c.req.path}`.slice(0, 500))));
  app.onError((error) => {
    const problem = toProblem(error);
    if (problem.status >= 500) logger.error({ error: loggedError(error) }, "request failed");
    return answer(problem);
  });
  return app;
}

const answer = ({ body, status, headers }: Problem): Response => Response.json(body, { status, headers });

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException && error.status < 500) return new Problem(4000, error.message);
  if (isUnavailable(error))
    return new Problem(5030, "the database cannot be reached, or does not answer in time");
  return new Problem(5000, "something went wrong");
}
