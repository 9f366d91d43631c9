import { once } from "node:events";
import { pino } from "pino";
import { collectDefaultMetrics } from "prom-client";
import { startHttpServer } from "./http/http-server.js";
import { readConfiguration } from "./runtime/configuration.js";
import { loggedError } from "./runtime/logged-error.js";
import { onShutdown } from "./runtime/shutdown.js";
import { createPeopleService } from "./service.js";

/** Logs regardless of LOG_LEVEL: the address on which the service listens, and why it did not start. */
const announcements = pino();

/** Exits explicitly, because an open connection to a stalled database would keep the process alive. */
const end = (code: 0 | 1): never => process.exit(code);

const fail = (error: unknown): never => {
  announcements.fatal(error instanceof Error ? error.message : String(error));
  return end(1);
};

function configure() {
  try {
    return readConfiguration(process.env);
  } catch (error) {
    return fail(error);
  }
}

const { logLevel, shutdownGraceMs, ...options } = configure();
const logger = pino({ level: logLevel });
const shutdown = onShutdown(shutdownGraceMs, logger);

async function start() {
  try {
    const service = await createPeopleService({ ...options, logger, signal: shutdown });
    collectDefaultMetrics({ register: service.metrics });
    const server = await startHttpServer(service.fetch, options);
    announcements.info({ host: options.host, port: server.port, database: service.database }, "listening");
    return { service, server };
  } catch (error) {
    if (!shutdown.aborted) return fail(error);
    logger.info("stopped before it had started");
    return end(0);
  }
}

const { service, server } = await start();
if (!shutdown.aborted) await once(shutdown, "abort");
try {
  await server.stop();
  await service.close();
  logger.info("stopped");
  end(0);
} catch (error) {
  logger.error({ error: loggedError(error) }, "did not stop cleanly");
  end(1);
}
