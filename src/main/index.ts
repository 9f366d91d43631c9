export { PeopleTrackingSDK } from "./people-tracking-sdk.js";
export type { ClientSideViews, TrackingOptions } from "./tracking-options.js";
export type {
  EventMap,
  EventProperties,
  HostKind,
  LiveChatSession,
  LiveChatSource,
  Outcome,
  OutboxRow,
  Page,
  PersonUpdate,
  Profile,
  ProfileKind,
  Scalar,
  TrackerState,
  TrackingError,
} from "../protocol/api.js";
export type { InspectQuery } from "../protocol/host.js";
