import { newTracker, trackPageView, trackSelfDescribingEvent } from "@snowplow/browser-tracker";
import { EVENT, collector, present } from "./subject.js";

present({
  init: async () => {
    // Its defaults: POST, stored in localStorage, one event a request, retried until answered.
    newTracker("benchmark", collector("snowplow"), { appId: "benchmark", eventMethod: "post" });
    trackPageView();
  },
  track: (data) =>
    trackSelfDescribingEvent({
      event: { schema: `iglu:com.example/${EVENT}/jsonschema/1-0-0`, data },
    }),
});
