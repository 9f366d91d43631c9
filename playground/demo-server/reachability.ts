import type { IncomingMessage, RequestListener } from "node:http";
import type { Socket } from "node:net";

export const isServicePath = (path: string) => path === "/people" || path.startsWith("/people/");

/**
 * The switch. Off, the service is gone as it is when a cable is cut: connections are destroyed without an answer, those
 * under way as well. The page itself and the demo's own routes go on.
 */
export class Reachability {
  #isOn = true;
  readonly #underWay = new Set<Socket>();

  /** Told of each request that was kept from the service. */
  constructor(private readonly onCut: (request: IncomingMessage) => void) {}

  get isOn(): boolean {
    return this.#isOn;
  }

  set(isOn: boolean): void {
    this.#isOn = isOn;
    if (!isOn) for (const socket of this.#underWay) socket.destroy();
  }

  guard(next: RequestListener): RequestListener {
    return (request, response) => {
      if (!isServicePath(request.url ?? "")) return next(request, response);
      const { socket } = request;
      if (!this.#isOn) {
        this.onCut(request);
        socket.destroy();
        return;
      }
      this.#underWay.add(socket);
      response.once("close", () => this.#underWay.delete(socket));
      next(request, response);
    };
  }
}
