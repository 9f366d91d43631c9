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
import { openHealth } from "./runtime/health.js";
import { loggedError } from "./runtime/logged-error.js";
import { createMetrics } from "./runtime/metrics.js";
import { sweep, type SweepReport } from "./sweep.js";

/** Long enough for a sweep whose database answers to come to an end. */
const SWEEP_GRACE_MS = 2_000;

/** A running People service; it listens nowhere by itself. */
export interface PeopleService {
  /** All routes, below the base path. */
  app: Hono;
  /** `app.fetch`, to mount it in a server: `getRequestListener(service.fetch)` of `@hono/node-server`. */
  fetch: (request: Request, bindings?: object) => Response | Promise<Response>;
  /** What is due with time alone; runs by itself every minute. */
  sweep(): Promise<SweepReport>;
  /** Ends the sweeps and closes the database, within seconds also where it hangs. Stop sending requests first. */
  close(): Promise<void>;
  /** Which database it has and where, without any secret. */
  database: string;
  keys: ApiKeys;
  definitions: Pick<Definitions, "put" | "list">;
  widgets: { put(widget: Widget): void };
  /** Prometheus' registry of this service. */
  metrics: Registry;
}

/**
 * Opens the database, brings its schema up to date and makes the routes.
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
    onWaiting: rarely((reason) => logger.warn(`waiting, since ${reason}`)),
    signal: options.signal,
  });
  const keys = openApiKeys(db, clock);
  const definitions = openDefinitions(db);
  const metrics = createMetrics();
  const app = createApp(
    {
      db,
      health: openHealth(db),
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
        // The one before may still wait for the database.
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

/** Tells what it is called with: when that is new, and else once a minute. */
function rarely(tell: (reason: string) => void): (reason: string) => void {
  let last = { reason: "", at: -Infinity };
  return (reason) => {
    const at = performance.now();
    if (reason === last.reason && at < last.at + MINUTE) return;
    last = { reason, at };
    tell(reason);
  };
}
