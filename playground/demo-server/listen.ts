import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Listens at the port, or at a free one if that is in use. Only this machine can reach it. */
export async function listen(server: Server, port: number): Promise<number> {
  try {
    return await tryListen(server, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return tryListen(server, 0);
  }
}

const tryListen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
