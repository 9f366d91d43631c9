import { onTestFinished } from "vitest";
import { startHttpServer } from "../../src/http/http-server.js";

/** Serves within this process until the test ends. */
export async function listen(
  fetch: (request: Request, bindings: object) => Response | Promise<Response>,
  answerTimeoutMs = 60_000,
): Promise<number> {
  const { port, stop } = await startHttpServer(fetch, {
    host: "127.0.0.1",
    port: 0,
    requestTimeoutMs: 30_000,
    answerTimeoutMs,
  });
  onTestFinished(stop);
  return port;
}
