import { Hono } from "hono";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import type { Logger } from "pino";
import { addBatchRoutes } from "./batches/routes.js";
import type { ApiKeys } from "./credentials/api-keys.js";
import { isUnavailable, type Database } from "./database/database.js";
import type { Definitions } from "./definitions/definitions.js";
import { addDefinitionRoutes } from "./definitions/routes.js";
import type { TrustProxy } from "./http/client-address.js";
import { matchOrigins } from "./http/cors-origins.js";
import { createEdge } from "./http/edge.js";
import { jsonResponse } from "./http/json-response.js";
import type { Limits } from "./http/limits.js";
import { Problem } from "./http/problem.js";
import type { LiveChat } from "./live-chat/live-chat.js";
import { addLiveChatRoutes } from "./live-chat/routes.js";
import type { Persons } from "./persons/persons.js";
import { addPersonRoutes } from "./persons/routes.js";
import type { Registrations } from "./registrations/registrations.js";
import { addRegistrationRoutes } from "./registrations/routes.js";
import { loggedError } from "./runtime/logged-error.js";
import type { Metrics } from "./runtime/metrics.js";
import { addRuntimeRoutes } from "./runtime/routes.js";

/** The dependencies of all routes. Each routes file names the ones that it uses. */
export interface Backend {
  db: Database;
  /** Throws if the database is unavailable. */
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

/** Longer than any real path. Invented paths are cut, so that they do not fill the logs. */
const LOGGED_PATH_LENGTH = 200;

export interface AppOptions {
  basePath: string;
  corsOrigins: readonly string[];
  trustProxy: TrustProxy | undefined;
}

export function createApp(backend: Backend, { basePath, corsOrigins, trustProxy }: AppOptions): Hono {
  const { logger, metrics, limits } = backend;
  const edge = createEdge(limits, trustProxy, logger);
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
    // The path only, because queries and headers may contain personal data and secrets.
    logger.info(
      { method, path: c.req.path.slice(0, LOGGED_PATH_LENGTH), status: c.res.status, durationMs },
      "request",
    );
  });
  app.use(
    "*",
    cors({
      origin: matchOrigins(corsOrigins),
      allowMethods: ["GET", "POST", "PUT", "DELETE"],
      allowHeaders: ["Authorization", "Content-Type", "Content-Encoding", "If-None-Match"],
      exposeHeaders: ["Retry-After", "ETag"],
      maxAge: 7200,
    }),
  );

  addRegistrationRoutes(app, backend, edge);
  addBatchRoutes(app, backend, edge);
  addDefinitionRoutes(app, backend, edge);
  addLiveChatRoutes(app, backend, edge);
  addPersonRoutes(app, backend, edge);
  addRuntimeRoutes(app, backend);

  app.notFound((c) => answer(new Problem(4040, `there is no ${c.req.method} ${c.req.path}`)));
  app.onError((error) => {
    const problem = toProblem(error);
    if (problem.status >= 500) logger.error({ error: loggedError(error) }, "request failed");
    return answer(problem);
  });
  return app;
}

const answer = ({ body, status, headers }: Problem): Response => jsonResponse(body, status, headers);

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException && error.status < 500) return new Problem(4000, error.message);
  if (isUnavailable(error))
    return new Problem(5030, "the database cannot be reached, or does not answer in time");
  return new Problem(5000, "something went wrong");
}
