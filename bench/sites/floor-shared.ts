/** The same floor through a shared worker, where one tracker serves all tabs: its port crosses processes. */
import { openFloorPort } from "./floor-port.js";
import { present } from "./subject.js";

let port: MessagePort;
present({
  init: async () => {
    port = await openFloorPort();
  },
  track: (event) => port.postMessage([event]),
  trackAll: (events) => port.postMessage(events),
});
