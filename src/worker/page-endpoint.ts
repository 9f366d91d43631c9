/**
 * A page's port, silent while the page is away, answers included: browsers throw a page out of their back-forward cache
 * when anything comes to one of its ports. A page that comes back asks again.
 */
import type { Endpoint } from "comlink";

/** A `MessagePort` or a dedicated worker's own scope. */
export type Port = Pick<MessagePort, "postMessage" | "addEventListener" | "removeEventListener"> & {
  start?: () => void;
};

export class PageEndpoint implements Endpoint {
  /** From its goodbye until it attaches again. */
  isAway = false;
  readonly #port: Port;

  constructor(port: Port) {
    this.#port = port;
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    if (!this.isAway) this.#port.postMessage(message, transfer);
  }

  addEventListener(...given: Parameters<Endpoint["addEventListener"]>): void {
    this.#port.addEventListener(...given);
  }

  removeEventListener(...given: Parameters<Endpoint["removeEventListener"]>): void {
    this.#port.removeEventListener(...given);
  }

  start(): void {
    this.#port.start?.();
  }
}
