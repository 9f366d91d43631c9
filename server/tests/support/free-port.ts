import { once } from "node:events";
import { createServer } from "node:net";

/** Ports below those that the system chooses from, and a range of its own for each of the files that run at the same time. */
const FIRST_PORT = 20_000;
const PORTS_A_WORKER = 1_000;

let given = 0;

/**
 * A port for a process that cannot choose one itself. Until that process listens, nobody else takes it: neither another test
 * file nor what listens on a port that the system chooses.
 */
export async function freePort(): Promise<number> {
  const worker = Number(process.env["VITEST_POOL_ID"] ?? 0);
  for (;;) {
    const port = FIRST_PORT + worker * PORTS_A_WORKER + (given++ % PORTS_A_WORKER);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server.listen(port, "127.0.0.1"), "listening");
  const isFree = await listening.then(
    () => true,
    () => false,
  );
  server.close();
  return isFree;
}
