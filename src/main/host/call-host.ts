/**
 * Calls the methods that a host exposes with Comlink, in Comlink's own messages. Comlink's caller can do more
 * (properties, callbacks, transfers, release), and would be a quarter of all that a page loads.
 */
import type { Host, HostMessage } from "../../protocol/host.js";
import type { HostPort } from "./open-host.js";

/** As much as is used here of https://github.com/GoogleChromeLabs/comlink/blob/main/src/protocol.ts. */
interface ComlinkResponse {
  id: number;
  /** `HANDLER` is what was thrown: as good as no response. */
  type: "RAW" | "HANDLER";
  value: never;
}

/**
 * Calls one method. `onResponse` is never called where the host does not respond or the method throws; `onError` gets the
 * reason why the call could not be made or posted.
 */
export type CallHost = <Method extends keyof Host>(
  method: Method,
  args: () => Parameters<Host[Method]>,
  onResponse?: (response: Awaited<ReturnType<Host[Method]>>) => void,
  onError?: (thrown: unknown) => void,
) => void;

/** @param onMessage receives the messages that the host posts on its own */
export const createHostCaller = (port: HostPort, onMessage: (message: HostMessage) => void): CallHost => {
  let count = 0;
  const pending = new Map<number, ((response: never) => void) | undefined>();
  port.addEventListener("message", (event) => {
    const data = (event as MessageEvent<HostMessage | ComlinkResponse | null>).data;
    if (!data) return;
    if ("peopleTracking" in data) return onMessage(data);
    if (data.type === "RAW") pending.get(data.id)?.(data.value);
    pending.delete(data.id);
  });
  if ("start" in port) port.start();
  return (method, args, onResponse, onError) => {
    pending.set(++count, onResponse);
    try {
      const argumentList = args().map((value) => ({ type: "RAW", value }));
      port.postMessage({ id: count, type: "APPLY", path: [method], argumentList });
    } catch (thrown) {
      pending.delete(count);
      onError?.(thrown);
    }
  };
};
