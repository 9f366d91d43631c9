/** The subjects of the measurements, in the order of the tables. */
export interface Measured {
  /** The name in the report. */
  label: string;
  /** The entry in `sites/`. */
  site: string;
  /** A browser whose shared workers end with their last tab: each batch is journaled when it is sent. */
  journals?: boolean;
}

export const OURS: Measured = { label: "people-tracking-sdk", site: "ours" };
export const JOURNALING: Measured = {
  label: "people-tracking-sdk, journaling",
  site: "ours",
  journals: true,
};
export const FLOOR: Measured = { label: "floor: one postMessage", site: "floor" };
/** Posts to a shared worker, which serves every tab, as our tracker does. */
export const SHARED_FLOOR: Measured = {
  label: "floor: one postMessage, shared worker",
  site: "floor-shared",
};
/** Adds a copy and an outcome for each call. */
export const CONTRACT_FLOOR: Measured = {
  label: "floor: a copy and a promise each, one postMessage",
  site: "floor-contract",
};
/** The least that a start can cost that ends with a page view on disk. */
export const DURABLE_FLOOR: Measured = {
  label: "floor: one transaction, shared worker",
  site: "floor-durable",
};
/** The least that a write-ahead journal can cost. */
export const JOURNAL_FLOOR: Measured = {
  label: "floor: one postMessage, one setItem",
  site: "floor-journal",
};
/** What no tracker can do without whose events are each on disk by themselves before they are sent. */
export const STORED_FLOOR: Measured = { label: "floor: one transaction an event", site: "floor-stored" };
/** What of that is not its transactions. */
export const SENT_FLOOR: Measured = { label: "floor: the same, nothing stored", site: "floor-sent" };
export const NOTHING: Measured = { label: "floor: nothing at all", site: "nothing" };

export const FARO: Measured = { label: "Grafana Faro", site: "faro" };

export const PEERS: readonly Measured[] = [
  { label: "Amplitude", site: "amplitude" },
  { label: "Datadog RUM", site: "datadog" },
  FARO,
  { label: "Mixpanel", site: "mixpanel" },
  { label: "PostHog", site: "posthog" },
  { label: "RudderStack", site: "rudderstack" },
  { label: "Segment", site: "segment" },
  { label: "Snowplow", site: "snowplow" },
];
