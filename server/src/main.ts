import { pino } from "pino";
import { collectDefaultMetrics } from "prom-client";
import { readConfiguration } from "./configuration.js";
import { startHttpServer } from "./http-server.js";
import { loggedError } from "./logged-error.js";
import { createPeopleService } from "./service.js";

const { host, port, requestTimeoutMs, answerTimeoutMs, maxConnections, logLevel, ...options } =
  readConfiguration(process.env);
const logger = pino({ level: logLevel });
const service = await createPeopleService({ ...options, logger });
collectDefaultMetrics({ register: service.metrics });

const stopServing = await startHttpServer(service.fetch, {
  host,
  port,
  requestTimeoutMs,
  answerTimeoutMs,
  maxConnections,
});
logger.info({ host, port, database: "url" in options.database ? "PostgreSQL" : "PGlite" }, "listening");

const stop = async (signal: string): Promise<void> => {
  logger.info({ signal }, "stopping");
  await stopServing();
  await service.close();
  logger.info("stopped");
};
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.once(signal, () => {
    stop(signal).catch((error: unknown) => {
      logger.error({ error: loggedError(error) }, "did not stop cleanly");
      process.exitCode = 1;
    });
  });
