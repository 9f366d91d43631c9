import { posthog } from "posthog-js";
import { EVENT, collector, present } from "./subject.js";

present({
  init: () =>
    new Promise((loaded) =>
      posthog.init("phc_benchmark", {
        api_host: collector("posthog"),
        loaded,
        // Events only: no recording, and nothing fetched from elsewhere.
        autocapture: false,
        capture_pageleave: false,
        capture_performance: false,
        disable_session_recording: true,
        disable_surveys: true,
        disable_external_dependency_loading: true,
        advanced_disable_flags: true,
        // Its filter would treat an automated browser as a bot, and its rate limiter would drop all but 100 events of a burst.
        opt_out_useragent_filter: true,
        rate_limiting: { events_per_second: 10_000, events_burst_limit: 100_000 },
      }),
    ),
  track: (event) => posthog.capture(EVENT, event),
});
