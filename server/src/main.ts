import { once } from "node:events";
import { createAdaptorServer } from "@hono/node-server";
import { pino } from "pino";
import { collectDefaultMetrics } from "prom-client";
import { readConfiguration } from "./configuration.js";
import { createPeopleService } from "./service.js";

const { host, port, logLevel, ...options } = readConfiguration(process.env);
const logger = pino({ level: logLevel });
const service = await createPeopleService({ ...options, logger });
collectDefaultMetrics({ register: service.metrics });

const server = createAdaptorServer({ fetch: service.fetch });
server.listen(port, host);
await once(server, "listening");
logger.info({ host, port, database: "url" in options.database ? "PostgreSQL" : "PGlite" }, "listening");

let isStopping = false;
// A closed server goes on serving the connections that it has for as long as they are busy; this ends them one by one.
server.prependListener("request", (_, response) => {
  if (isStopping) response.shouldKeepAlive = false;
});

const stop = async (signal: string): Promise<void> => {
  logger.info({ signal }, "stopping");
  isStopping = true;
  const closed = once(server, "close");
  // Accepts nothing new, lets go of idle connections, and is closed once what is under way was answered.
  server.close();
  await closed;
  await service.close();
  logger.info("stopped");
};
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.once(signal, () => {
    stop(signal).catch((error: unknown) => {
      logger.error({ err: error }, "did not stop cleanly");
      process.exitCode = 1;
    });
  });
