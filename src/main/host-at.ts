/**
 * Calls what a host exposes with Comlink, in Comlink's own messages. Comlink's caller can do more (properties, callbacks,
 * transfers, release), and would be a quarter of all that a page loads.
 */
import type { Host, HostMessage } from "../protocol/host.js";

export type HostEndpoint = Pick<MessagePort, "postMessage" | "addEventListener"> &
  Partial<Pick<MessagePort, "start">>;

/** As much as is used here of https://github.com/GoogleChromeLabs/comlink/blob/main/src/protocol.ts. */
interface ComlinkAnswer {
  id: number;
  /** `HANDLER` is what was thrown: as good as no answer. */
  type: "RAW" | "HANDLER";
  value: never;
}

/** Gives the answer, if one comes: a call that was thrown out has none. Says why it could not even be made or sent. */
export type CallHost = <Method extends keyof Host>(
  method: Method,
  args: () => Parameters<Host[Method]>,
  give?: (answer: Awaited<ReturnType<Host[Method]>>) => void,
  fail?: (thrown: unknown) => void,
) => void;

/** @param hear is told what the host says unasked */
export const hostAt = (endpoint: HostEndpoint, hear: (message: HostMessage) => void): CallHost => {
  let count = 0;
  const asked = new Map<number, ((answer: never) => void) | undefined>();
  endpoint.addEventListener("message", (event) => {
    const data = (event as MessageEvent<HostMessage | ComlinkAnswer | null>).data;
    if (!data) return;
    if ("peopleTracking" in data) return hear(data);
    if (data.type === "RAW") asked.get(data.id)?.(data.value);
    asked.delete(data.id);
  });
  endpoint.start?.();
  return (method, args, give, fail) => {
    asked.set(++count, give);
    try {
      const argumentList = args().map((value) => ({ type: "RAW", value }));
      endpoint.postMessage({ id: count, type: "APPLY", path: [method], argumentList });
    } catch (thrown) {
      asked.delete(count);
      fail?.(thrown);
    }
  };
};
