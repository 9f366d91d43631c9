/** The wire protocol between tracker and People service, version 1: its messages and its limits. */
import type { Profile } from "./api.js";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const STANDARD_EVENTS = {
  start: "sessionStarted",
  end: "sessionEnded",
  pageView: "pageView",
} as const;

/** The only scope that a tracking key may carry. */
export const TRACKING_SCOPE = "web:tracking:sdk";

export const LIMITS = {
  operationsPerBatch: 5_000,
  /** Before compression. */
  batchBytes: 1024 * 1024,
  operationBytes: 256 * 1024,
  /** Operations older than this are refused by the service. */
  operationAgeMs: 30 * DAY,
  operationIdLength: 36,
  sessionIdLength: 30,
  definitionIdLength: 36,
  propertiesPerEvent: 120,
  propertyNameLength: 128,
  attributeNameLength: 256,
  attributeValueLength: 4096,
  contactsPerKind: 100,
} as const;

export const SESSION_TIMEOUT_MS = 30 * MINUTE;
export const VISITOR_LIFETIME_MS = 45 * DAY;

/** JSON as it travels: no `undefined`, no `Date`. */
export type WireScalar = string | number | boolean;
export type WireValue = WireScalar | readonly (WireScalar | Record<string, WireScalar>)[];
export type WireProperties = Record<string, WireValue>;

export interface EventOperation {
  id: string;
  type: "event";
  occurredAt: string;
  sessionId: string;
  definitionId: string;
  properties?: WireProperties;
  page?: { url: string; title: string };
}
export interface PersonUpdateOperation {
  id: string;
  type: "person.update";
  occurredAt: string;
  person: WirePerson;
}
export interface ListAppendOperation {
  id: string;
  type: "list.append";
  occurredAt: string;
  attribute: string;
  item: Record<string, WireScalar>;
}
export interface ProfileMergeOperation {
  id: string;
  type: "profile.merge";
  occurredAt: string;
  /** The token is a registration token of that visitor, added when the operation is sent. */
  from: { kind: "visitor"; id: string; token: string };
}
export type Operation = EventOperation | PersonUpdateOperation | ListAppendOperation | ProfileMergeOperation;

export interface WirePerson {
  firstName?: string;
  lastName?: string;
  middleName?: string;
  address?: string;
  city?: string;
  country?: string;
  externalId?: string;
  gender?: string;
  birthDate?: string;
  preferredLanguage?: string;
  profilePicture?: string;
  tags?: string[];
  contactInformation?: { email?: { address: string }[]; phone?: { number: string }[] };
  customAttributes?: Record<string, WireScalar | Record<string, WireScalar>[]>;
  integrations?: { salesforce?: { contactId?: string; leadId?: string } };
}

export interface RegistrationRequest {
  profile: Profile;
  /** Required for a lead and for an authenticated user. */
  liveChatToken?: string;
}
export interface RegistrationAnswer {
  token: string;
  expiresAt: string;
  /** Takes precedence over `expiresAt`, because a device's clock may be wrong. */
  expiresInMs: number;
  definitionsVersion: string;
}

export interface BatchRequest {
  id: string;
  sentAt: string;
  sdk: string;
  operations: Operation[];
}
export interface OperationResult {
  id: string;
  status: "accepted" | "duplicate" | "rejected";
  error?: { code: number; name: string; message: string };
}
export interface BatchAnswer {
  results: OperationResult[];
}

export const PROPERTY_TYPES = ["string", "boolean", "datetime", "numeric", "decimal", "list"] as const;
export type PropertyType = (typeof PROPERTY_TYPES)[number];
export interface EventDefinition {
  id: string;
  title?: string;
  properties: Record<string, PropertyType>;
}
export interface DefinitionsAnswer {
  version: string;
  definitions: EventDefinition[];
}

/** The body of every response other than 2xx. */
export interface ErrorBody {
  error: { code: number; name: string; message: string; origin: string; platform: string };
}
