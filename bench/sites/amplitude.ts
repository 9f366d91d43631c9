import * as amplitude from "@amplitude/analytics-browser";
import { EVENT, collector, present } from "./subject.js";

present({
  init: () =>
    amplitude.init("benchmark", {
      serverUrl: collector("amplitude"),
      autocapture: { pageViews: true, sessions: true, attribution: false },
      remoteConfig: { fetchRemoteConfig: false },
    }).promise,
  track: (event) => amplitude.track(EVENT, event),
});
