import { SessionInstrumentation, ViewInstrumentation, initializeFaro } from "@grafana/faro-web-sdk";
import type { Faro } from "@grafana/faro-web-sdk";
import { EVENT, collector, present } from "./subject.js";

let faro: Faro;
present({
  init: async () => {
    faro = initializeFaro({
      url: collector("faro"),
      app: { name: "benchmark" },
      instrumentations: [new SessionInstrumentation(), new ViewInstrumentation()],
    });
  },
  // Its attributes must be strings.
  track: (event) =>
    faro.api.pushEvent(
      EVENT,
      Object.fromEntries(Object.entries(event).map(([key, value]) => [key, String(value)])),
    ),
});
