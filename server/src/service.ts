import type { Hono } from "hono";
import { pino } from "pino";
import type { Registry } from "prom-client";
import { openApiKeys, type ApiKeys } from "./api-keys.js";
import { createApp } from "./app.js";
import { openDatabase } from "./database.js";
import { openDefinitions, type Definitions } from "./definitions.js";
import { openLiveChat } from "./live-chat.js";
import { loggedError } from "./logged-error.js";
import { createMetrics } from "./metrics.js";
import { DEFAULT_LIMITS, DEFAULTS, type PeopleServiceOptions } from "./options.js";
import { openPersons } from "./persons.js";
import { openRegistrations } from "./registrations.js";
import { sweep, type SweepReport } from "./sweep.js";
import { checkWidget, type Widget } from "./widget-jwt.js";

/** A running People service; it listens nowhere by itself. */
export interface PeopleService {
  /** All routes, below the base path. */
  app: Hono;
  /** `app.fetch`, to mount it in a server: `getRequestListener(service.fetch)` of `@hono/node-server`. */
  fetch: (request: Request, bindings?: object) => Response | Promise<Response>;
  /** What is due with time alone; runs by itself every minute. */
  sweep(): Promise<SweepReport>;
  /** Ends the sweeps and closes the database. Stop sending requests first. */
  close(): Promise<void>;
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
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { basePath, registrationLifetimeMs, sweepIntervalMs } = { ...DEFAULTS, ...options };

  const widgets = new Map<string, Widget>();
  const putWidget = (widget: Widget): void => {
    checkWidget(widget);
    widgets.set(widget.id, widget);
  };
  options.widgets?.forEach(putWidget);

  const { db, close } = await openDatabase(options.database ?? {}, (error) =>
    logger.warn({ error: loggedError(error) }, "database connection lost"),
  );
  const keys = openApiKeys(db, clock);
  const definitions = openDefinitions(db);
  const metrics = createMetrics();
  const app = createApp(
    {
      db,
      clock,
      logger,
      metrics,
      limits,
      keys,
      definitions,
      registrations: openRegistrations(db, clock, keys, definitions, registrationLifetimeMs),
      liveChat: openLiveChat(db, clock, widgets),
      persons: openPersons(db),
    },
    basePath,
    options.corsOrigins ?? [],
  );

  let sweeping: Promise<unknown> = Promise.resolve();
  const sweepNow = () => sweep(db, clock());
  const timer = sweepIntervalMs
    ? setInterval(() => {
        sweeping = sweepNow().catch((error: unknown) =>
          logger.warn({ error: loggedError(error) }, "sweep failed"),
        );
      }, sweepIntervalMs).unref()
    : undefined;

  const closeAll = async (): Promise<void> => {
    clearInterval(timer);
    await sweeping;
    await close();
  };
  let closed: Promise<void> | undefined;

  return {
    app,
    fetch: (request, bindings) => app.fetch(request, bindings),
    sweep: sweepNow,
    close: () => (closed ??= closeAll()),
    keys,
    definitions,
    widgets: { put: putWidget },
    metrics: metrics.registry,
  };
}
