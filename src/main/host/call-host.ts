/**
 * Calls the methods that a host exposes with Comlink, in Comlink's own messages. Comlink's caller can do more
 * (properties, callbacks, transfers, release), and would be a quarter of all that a page loads.
 */
import type { Host } from "../../protocol/host.js";
import type { HostPort } from "./open-host.js";

/** As much as is used here of https://github.com/GoogleChromeLabs/comlink/blob/main/src/protocol.ts. */
export interface ComlinkResponse {
  id: number;
  /** `HANDLER` is what was thrown: as good as no response. */
  type: "RAW" | "HANDLER";
  value: unknown;
}

let count = 0;

/**
 * Calls one method.
 *
 * @returns the id that the response will have
 * @throws why the call could not be posted
 */
export const callHost = <Method extends keyof Host>(
  port: HostPort,
  method: Method,
  args: Parameters<Host[Method]>,
): number => {
  const argumentList = (args as unknown[]).map((value) => ({ type: "RAW", value }));
  port.postMessage({ id: ++count, type: "APPLY", path: [method], argumentList });
  return count;
};
