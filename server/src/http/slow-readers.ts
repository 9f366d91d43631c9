import type { ServerResponse } from "node:http";

/**
 * Ends the connection of a client that does not take its answer in time. Whatever of an answer the network has not taken
 * stays in memory, and no other timeout looks at a request that is answered.
 */
export function endSlowReader(response: ServerResponse, timeoutMs: number): void {
  response.once("prefinish", () => {
    const { socket } = response;
    const timer = setTimeout(() => socket?.destroy(), timeoutMs).unref();
    response.once("close", () => clearTimeout(timer));
  });
}
