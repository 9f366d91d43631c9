import { datadogRum } from "@datadog/browser-rum";
import { EVENT, collector, present } from "./subject.js";

present({
  init: async () => {
    datadogRum.init({
      applicationId: "benchmark",
      clientToken: "benchmark",
      proxy: collector("datadog"),
      service: "benchmark",
      sessionSampleRate: 100,
      sessionReplaySampleRate: 0,
      telemetrySampleRate: 0,
      trackUserInteractions: false,
      trackResources: false,
      trackLongTasks: false,
    });
  },
  track: (event) => datadogRum.addAction(EVENT, event),
});
