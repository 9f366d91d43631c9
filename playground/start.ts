/** `npm start`: the People service with an embedded database, and the shop in front of it, at one address. */
import { createServer } from "node:http";
import { join } from "node:path";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";

import { demoRoutes } from "./demo-server/demo-routes.js";
import { openDemoService } from "./demo-server/demo-service.js";
import { listen } from "./demo-server/listen.js";
import { pageRoutes } from "./demo-server/page.js";
import { Reachability } from "./demo-server/reachability.js";
import { WireLog } from "./demo-server/wire-log.js";

const DEFAULT_PORT = 4173;

// Beside the built playground, wherever it is started from.
const dataDir = process.env["DATA_DIR"] || join(import.meta.dirname, "../data");
const service = await openDemoService(dataDir).catch((error: unknown) => {
  // The usual cause is another `npm start` that holds the data folder. The message says so; a stack would hide it.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
const wireLog = new WireLog();
const reachability = new Reachability(wireLog.addCut);

const app = new Hono<{ Bindings: HttpBindings }>();
app.all("/people/*", wireLog.middleware, (context) => service.fetch(context.req.raw));
app.route(
  "/demo",
  demoRoutes((request) => service.fetch(request), reachability, wireLog),
);
const serviceWorker = join(import.meta.dirname, "../../dist/service-worker.js");
app.route("/", await pageRoutes(join(import.meta.dirname, "client"), serviceWorker));

const listener = getRequestListener(app.fetch);
const server = createServer(reachability.guard((request, response) => void listener(request, response)));
const port = await listen(server, Number(process.env["PORT"]) || DEFAULT_PORT);
console.log(`The playground is at http://localhost:${port} (demo keys; stop it with Ctrl+C)`);

let isStopping = false;
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  // Pending responses get a moment. A browser's idle keep-alive connection would stay open for ever.
  setTimeout(() => server.closeAllConnections(), 2000).unref();
  await closed;
  await service.close();
}
process.once("SIGINT", () => void stop());
process.once("SIGTERM", () => void stop());
