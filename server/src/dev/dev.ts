/**
 * A People service for development: the embedded database, keys that stay the same, one event that is defined, and pages
 * of this machine. It prints what to paste into a site, and then what becomes of each operation.
 */
import { join } from "node:path";
import type { DevModule } from "../../../src/cli/dev-options.js";
import type { DevService } from "../../../src/cli/dev-service.js";
import { SECOND } from "../../../src/protocol/wire.js";
import { startHttpServer, type HttpServer } from "../http/http-server.js";
import { createPeopleService, type PeopleService } from "../service.js";
import { logDeliveries } from "./delivery-log.js";
import { prepareDevFolder } from "./dev-folder.js";
import { instructions } from "./instructions.js";
import { untilInterrupted } from "./interruption.js";

const print = (line: string): void => console.log(line);

const REQUEST_TIMEOUT_MS = 30 * SECOND;

/** Pages of this machine, whatever server serves them. */
const LOCAL_ORIGINS = ["http", "https"].flatMap((scheme) =>
  ["localhost", "127.0.0.1", "[::1]"].map((host) => `${scheme}://${host}:*`),
);

/** The event of the instructions. */
const SAMPLE = {
  id: "action",
  title: "Somebody does something",
  properties: { name: "string", label: "string" },
} as const;

export const dev: DevModule["dev"] = async ({ port, origins, dataDir }) => {
  const interrupted = untilInterrupted();
  let opening: Promise<PeopleService> | undefined;
  // It listens before the database is opened, so that a port in use is noticed at once. Early requests wait.
  const server = await listen(
    port,
    logDeliveries(async (request, bindings) => (await opening!).fetch(request, bindings), print),
  );
  try {
    const description = await prepareDevFolder(dataDir, `http://localhost:${server.port}/people`);
    opening = openService(join(dataDir, "database"), [...LOCAL_ORIGINS, ...origins], description);
    const service = await opening;
    print(instructions(description, dataDir));
    await interrupted;
    print("Stopping.");
    await server.stop();
    await service.close();
  } catch (error) {
    await server.stop();
    throw error;
  }
};

const listen = (port: number, fetch: Parameters<typeof startHttpServer>[0]): Promise<HttpServer> =>
  startHttpServer(fetch, { host: "127.0.0.1", port, requestTimeoutMs: REQUEST_TIMEOUT_MS }).catch(
    (error: unknown) => {
      const { cause } = error as { cause?: NodeJS.ErrnoException };
      if (cause?.code !== "EADDRINUSE") throw error;
      throw new Error(
        `port ${port} is in use: stop the program that listens there, or choose another with --port`,
        {
          cause: error,
        },
      );
    },
  );

async function openService(
  dataDir: string,
  corsOrigins: readonly string[],
  { trackingKey, adminKey }: DevService,
): Promise<PeopleService> {
  const service = await createPeopleService({ database: { dataDir }, corsOrigins });
  await service.keys.create({ key: trackingKey, scopes: ["web:tracking:sdk"] });
  await service.keys.create({ key: adminKey, scopes: ["people:read", "people:manage"] });
  const { definitions } = await service.definitions.list();
  if (!definitions.some(({ id }) => id === SAMPLE.id)) await service.definitions.put(SAMPLE);
  return service;
}
