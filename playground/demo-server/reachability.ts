import type { IncomingMessage, RequestListener } from "node:http";
import type { Socket } from "node:net";

export const isServicePath = (path: string) => path === "/people" || path.startsWith("/people/");

/**
 * The switch that makes the service unreachable, as if a cable were cut: it destroys connections without a response, pending ones
 * too. The page itself and the demo's own routes stay available.
 */
export class Reachability {
  #isOn = true;
  readonly #underWay = new Set<Socket>();

  /** Called for each request that is kept from the service. */
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
