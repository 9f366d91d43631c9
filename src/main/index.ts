export { PeopleTrackingSDK } from "./people-tracking-sdk.js";
export type { LiveChatSource } from "./live-chat.js";
export type { ClientSideViews, TrackingOptions } from "./tracking-options.js";
export type {
  EventMap,
  EventProperties,
  HostKind,
  LiveChatSession,
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
