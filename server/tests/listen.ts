import { onTestFinished } from "vitest";
import { startHttpServer } from "../src/http-server.js";
import { freePort } from "./start-postgres.js";

/** Serves within this process until the test ends. */
export async function listen(
  fetch: (request: Request, bindings: object) => Response | Promise<Response>,
  answerTimeoutMs = 60_000,
): Promise<number> {
  const port = await freePort();
  const stop = await startHttpServer(fetch, {
    host: "127.0.0.1",
    port,
    requestTimeoutMs: 30_000,
    answerTimeoutMs,
  });
  onTestFinished(stop);
  return port;
}
