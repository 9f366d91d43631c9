/** What the demo server tells the page beside the service's own answers: types of the border between the two. */
import type { Profile } from "../src/protocol/api.js";

/** One request that reached (or was kept from reaching) the service, with its secrets left out. */
export interface WireEntry {
  n: number;
  at: string;
  method: string;
  path: string;
  /** `cut`: the service was switched off, and the connection destroyed. */
  status: number | "cut";
  tookMs: number;
  /** Of the request's body, before compression; 0 where it had none. */
  bytes: number;
  /** Whom a registration asked for. */
  profile?: Profile;
  operations?: WireOperation[];
  /** The answer's own words, where it refused the whole request. */
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
  /** Changes when the demo server starts anew, and the numbers with it. */
  boot: string;
  reachable: boolean;
  entries: WireEntry[];
}

/** A person as the service shows them to those who may read, newest entries first. */
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
