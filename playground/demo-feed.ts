/** The types of the feed that the demo server sends to the page, beside the service's own responses. */
import type { Profile } from "../src/protocol/api.js";

/** One request that reached the service, or was prevented from reaching it, without its secrets. */
export interface WireEntry {
  n: number;
  at: string;
  method: string;
  path: string;
  /** `cut`: the service was switched off, and the connection destroyed. */
  status: number | "cut";
  tookMs: number;
  /** The bytes of the request's body before compression; 0 if it has none. */
  bytes: number;
  /** The profile of a registration. */
  profile?: Profile;
  operations?: WireOperation[];
  /** The message of the response, if the service refused the whole request. */
  error?: string;
}
export interface WireOperation {
  id: string;
  type: string;
  /** The definition of an event, the fields of an update, the attribute of an append. */
  what?: string;
  status?: string;
  error?: string;
}

export interface Feed {
  /** Changes when the demo server restarts and its numbers begin again. */
  boot: string;
  reachable: boolean;
  entries: WireEntry[];
}

/** A person as the service returns it to a key that may read, newest entries first. */
export interface PersonReading {
  person: Record<string, unknown>;
  entries: TimelineEntry[];
  total: number;
}
export interface TimelineEntry {
  cursor: string;
  definitionId: string;
  sessionId: string;
  occurredAt: string;
  properties?: Record<string, unknown>;
  page?: { url: string; title: string };
  closedBy?: "service";
}
