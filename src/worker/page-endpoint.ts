/**
 * A page's port that posts nothing while the page is away, not even responses: browsers evict a page from the back-forward
 * cache when one of its ports receives a message. A page that comes back repeats its requests.
 */
import type { Endpoint } from "comlink";

/** A `MessagePort` or a dedicated worker's own scope. */
export type Port = Pick<MessagePort, "postMessage" | "addEventListener" | "removeEventListener"> & {
  start?: () => void;
};

export class PageEndpoint implements Endpoint {
  /** From the page's `detach` until it attaches again. */
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
