import { AnalyticsBrowser } from "@segment/analytics-next";
import { EVENT, collector, present } from "./subject.js";

const analytics = new AnalyticsBrowser();
present({
  init: async () => {
    const apiHost = collector("segment").replace(/^https?:\/\//, "");
    const settings = { apiKey: "benchmark", apiHost, protocol: "http" as const };
    // Its settings are given, not fetched. By default it sends one request for each event from its persistent retry queue; a
    // batch would leave that queue before it is sent.
    analytics.load(
      { writeKey: "benchmark", cdnSettings: { integrations: { "Segment.io": settings } } },
      { integrations: { "Segment.io": settings }, retryQueue: true },
    );
    await analytics.ready();
    await analytics.page();
  },
  track: (event) => analytics.track(EVENT, event),
});
