/** The worker's entry: as a SharedWorker it serves every tab, as a dedicated worker the one that made it. */
import { servePage } from "./page-port.js";

declare const self: SharedWorkerGlobalScope | DedicatedWorkerGlobalScope;

if ("onconnect" in self) {
  self.addEventListener("connect", (event) => {
    const [port] = event.ports;
    if (port) servePage(port);
  });
} else {
  servePage(self);
}
