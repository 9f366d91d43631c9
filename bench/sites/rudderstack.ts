import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";
import { EVENT, collector, present } from "./subject.js";

const analytics = new RudderAnalytics();
present({
  init: () =>
    new Promise<void>((ready) => {
      analytics.load("benchmark", collector("rudderstack"), {
        // Its configuration is given, not fetched, and its plugins are bundled.
        getSourceConfig: () => ({
          source: {
            id: "benchmark",
            name: "benchmark",
            writeKey: "benchmark",
            enabled: true,
            workspaceId: "benchmark",
            updatedAt: "2026-01-01T00:00:00.000Z",
            connections: [],
            destinations: [],
            config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } },
          },
        }),
        loadIntegration: false,
        polyfillIfRequired: false,
        // Batches are kept in storage until the response, as its documentation recommends.
        queueOptions: { batch: { enabled: true, maxItems: 100, flushInterval: 3_000 } },
        onLoaded: () => ready(),
      });
      analytics.page();
    }),
  track: (event) => analytics.track(EVENT, event),
});
