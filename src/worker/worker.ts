/** The worker's entry: as a SharedWorker it serves every tab, as a dedicated worker the one that made it. */
import { openAhead } from "../adapters/indexeddb/open-database.js";
import { sharedNameOfWorker } from "../protocol/names.js";
import { servePage } from "./page-port.js";

declare const self: SharedWorkerGlobalScope | DedicatedWorkerGlobalScope;

// While the first page's request to attach is on its way.
const database = sharedNameOfWorker(self.name);
if (database !== null) openAhead(database);

if ("onconnect" in self) {
  self.addEventListener("connect", (event) => {
    const [port] = event.ports;
    if (port) servePage(port);
  });
} else {
  servePage(self);
}
