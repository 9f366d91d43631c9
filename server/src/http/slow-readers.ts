import type { ServerResponse } from "node:http";

/**
 * Closes the connection of a client that does not read its response before the timeout. The unread part of a response
 * stays in memory, and no timeout of Node's applies after the response is written.
 */
export function endSlowReader(response: ServerResponse, timeoutMs: number): void {
  response.once("prefinish", () => {
    const { socket } = response;
    const timer = setTimeout(() => socket?.destroy(), timeoutMs).unref();
    response.once("close", () => clearTimeout(timer));
  });
}
