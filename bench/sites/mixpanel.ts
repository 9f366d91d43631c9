import mixpanel from "mixpanel-browser/src/loaders/loader-module-core";
import { EVENT, collector, present } from "./subject.js";

present({
  init: () =>
    new Promise((loaded) => {
      mixpanel.init("benchmark", {
        api_host: collector("mixpanel"),
        loaded,
        // Batches are kept in storage until the response, as its documentation recommends.
        batch_requests: true,
        persistence: "localStorage",
        track_pageview: true,
      });
    }),
  track: (event) => mixpanel.track(EVENT, event),
});
