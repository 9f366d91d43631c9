import { setTimeout as delay } from "node:timers/promises";
import type { Hono } from "hono";
import { pino } from "pino";
import type { Registry } from "prom-client";
import { MINUTE } from "../../src/protocol/wire.js";
import { createApp } from "./app.js";
import { openApiKeys, type ApiKeys } from "./credentials/api-keys.js";
import { openDatabase } from "./database/open-database.js";
import { openDefinitions, type Definitions } from "./definitions/definitions.js";
import { checkCorsOrigins } from "./http/cors-origins.js";
import { resolveLimits } from "./http/limits.js";
import { openLiveChat } from "./live-chat/live-chat.js";
import { checkWidget, type Widget } from "./live-chat/widget-jwt.js";
import { DEFAULTS, type PeopleServiceOptions } from "./options.js";
import { openPersons } from "./persons/persons.js";
import { openRegistrations } from "./registrations/registrations.js";
import { createHealthCheck } from "./runtime/health.js";
import { loggedError } from "./runtime/logged-error.js";
import { createMetrics } from "./runtime/metrics.js";
import { sweep, type SweepReport } from "./sweep.js";

/** Enough time for a running sweep to finish, unless the database is stalled. */
const SWEEP_GRACE_MS = 2_000;

/** A running People service. It does not listen by itself. */
export interface PeopleService {
  /** The Hono application with all routes, below the base path. */
  app: Hono;
  /** `app.fetch`, to mount it in a server: `getRequestListener(service.fetch)` of `@hono/node-server`. */
  fetch: (request: Request, bindings?: object) => Response | Promise<Response>;
  /** Closes and deletes what is due; runs automatically every minute. */
  sweep(): Promise<SweepReport>;
  /** Stops the sweeps and closes the database, within seconds even if it is stalled. Stop sending requests first. */
  close(): Promise<void>;
  /** The kind and the address of the database, without secrets. */
  database: string;
  keys: ApiKeys;
  definitions: Pick<Definitions, "put" | "list">;
  widgets: { put(widget: Widget): void };
  /** The Prometheus registry of this service. */
  metrics: Registry;
}

/**
 * Opens the database, migrates its schema and creates the routes.
 *
 * @example
 * const service = await createPeopleService({ database: { dataDir: "data" }, corsOrigins: ["https://shop.example"] });
 * const { key } = await service.keys.create({ scopes: ["web:tracking:sdk"] });
 * serve({ fetch: service.fetch, port: 8080 });
 */
export async function createPeopleService(options: PeopleServiceOptions = {}): Promise<PeopleService> {
  const logger = options.logger ?? pino({ level: "silent" });
  const clock = options.clock ?? Date.now;
  const limits = resolveLimits(options.limits ?? {}, options.database ?? {});
  const { basePath, registrationLifetimeMs, sweepIntervalMs } = { ...DEFAULTS, ...options };

  const widgets = new Map<string, Widget>();
  const putWidget = (widget: Widget): void => {
    checkWidget(widget);
    widgets.set(widget.id, widget);
  };
  options.widgets?.forEach(putWidget);
  checkCorsOrigins(options.corsOrigins ?? []);

  const { db, description, close } = await openDatabase(options.database ?? {}, {
    onError: (error) => logger.warn({ error: loggedError(error) }, "database connection lost"),
    onWaiting: throttled((reason) => logger.warn(`waiting, since ${reason}`)),
    signal: options.signal,
  });
  const keys = openApiKeys(db, clock);
  const definitions = openDefinitions(db);
  const metrics = createMetrics();
  const app = createApp(
    {
      db,
      health: createHealthCheck(db),
      clock,
      logger,
      metrics,
      limits,
      keys,
      definitions,
      registrations: openRegistrations(db, clock, definitions, registrationLifetimeMs),
      liveChat: openLiveChat(db, clock, widgets),
      persons: openPersons(db),
    },
    { basePath, corsOrigins: options.corsOrigins ?? [], trustProxy: options.trustProxy },
  );

  let sweeping: Promise<unknown> | undefined;
  let isClosing = false;
  const sweepNow = () => sweep(db, clock());
  const timer = sweepIntervalMs
    ? setInterval(() => {
        // The previous sweep may still be waiting for the database.
        sweeping ??= sweepNow()
          .catch((error: unknown) => {
            if (!isClosing) logger.warn({ error: loggedError(error) }, "sweep failed");
          })
          .finally(() => (sweeping = undefined));
      }, sweepIntervalMs).unref()
    : undefined;

  const closeAll = async (): Promise<void> => {
    isClosing = true;
    clearInterval(timer);
    await Promise.race([sweeping, delay(SWEEP_GRACE_MS, undefined, { ref: false })]);
    await close();
  };
  let closed: Promise<void> | undefined;

  return {
    app,
    fetch: (request, bindings) => app.fetch(request, bindings),
    sweep: sweepNow,
    close: () => (closed ??= closeAll()),
    database: description,
    keys,
    definitions,
    widgets: { put: putWidget },
    metrics: metrics.registry,
  };
}

/** Throttles a log: a new reason is logged at once, the same reason once a minute. */
function throttled(log: (reason: string) => void): (reason: string) => void {
  let last = { reason: "", at: -Infinity };
  return (reason) => {
    const at = performance.now();
    if (reason === last.reason && at < last.at + MINUTE) return;
    last = { reason, at };
    log(reason);
  };
}
