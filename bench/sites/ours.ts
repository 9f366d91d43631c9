import { PeopleTrackingSDK } from "people-tracking-sdk";
import { EVENT, collector, present } from "./subject.js";

const sdk = new PeopleTrackingSDK({ endpoint: collector("ours"), liveChat: null });
present({
  init: async () => {
    const outcome = await sdk.init("benchmark-key");
    if (!outcome.success) throw new Error(outcome.error.message);
  },
  track: (event) => sdk.track(EVENT, event),
});
