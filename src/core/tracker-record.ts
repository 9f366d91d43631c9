/**
 * The tracker record, which every transaction reads and writes whole: session, profile, counters, delivery. Its size is
 * bounded. Instants are milliseconds; every field that holds one is named `…At`, and stands as an ISO time
 * in IndexedDB (see `adapters/indexeddb/readable-times.ts`).
 */
import type { Profile, TrackingError } from "../protocol/api.js";

export interface SessionRecord {
  id: string;
  startedAt: number;
  lastActivityAt: number;
  expiresAt: number;
  /** When it ended: the time that `sessionEnded` carries. */
  endedAt?: number;
}

/** A profile and the instant from which it was selected. With `merges`, the profile before it merged into it. */
export interface Selection {
  profile: Profile;
  selectedAt: number;
  merges: boolean;
}

/** An open circuit breaker: the service refused the key or a profile. What is not stored is closed. */
export interface CircuitBreaker {
  error: TrackingError;
  stoppedAt: number;
  /** From then on it is half-open: one probe request may go. */
  trialAt: number;
}

/** The counters and credentials of a profile that has rows, or that is selected. */
export interface ProfileQueue {
  profile: Profile;
  waiting: number;
  rejected: number;
  /** The last token that Live Chat gave for this person, kept until nothing of it waits. */
  liveChatToken?: string;
  registration?: { token: string; registeredAt: number; expiresAt: number };
  /** A merge of this visitor waits and will need its token. */
  merging?: true;
  stop?: CircuitBreaker;
  /** The service refused to register this profile, or the visitor whose merge waits here; kept until it does. */
  unregistered?: Profile;
}

export interface VisitorRecord {
  id: string;
  lastActivityAt: number;
  hasOperations: boolean;
  /** The latest time of its operations. It can be ahead of a clock that was set back. */
  latestOperationAt?: number;
}

/** When the rows from a `seq` on are due, up to the next entry: see `delivery/due.ts`. */
export interface DueRows {
  fromSeq: number;
  acceptedAt: number;
  dueAt: number;
}

export interface DeliveryRecord {
  /** Failures in a row. */
  failures: number;
  /** Back-off: nothing is sent before `nextAt`. */
  retry?: { decidedAt: number; nextAt: number };
  /** `Retry-After` of the service: no request is sent before, not even by `flush()`. */
  retryAfter?: { receivedAt: number; endsAt: number };
  /** The key was refused: nothing is sent for any profile. */
  keyStop?: CircuitBreaker;
  /** Operations refused alone since one was accepted. */
  refusedAlone: number;
  /** When what waits is due: absent, it is due now. */
  due?: readonly DueRows[];
  /** When back-off last ended before its time, or will: see `early-attempt.ts`. */
  earlyAttemptAt?: number;
  /** The batch that begins with this row was refused compressed: it goes once more uncompressed. */
  compressionDoubt?: { seq: number; doubtedAt: number };
  /** Compressed bodies do not reach this endpoint readable: none is sent compressed until then. */
  uncompressed?: { decidedAt: number; endsAt: number };
  lastError?: TrackingError;
}

export interface Lease {
  holder: string;
  takenAt: number;
  /** Before that it is a reservation, which anybody may take who has to send earlier. */
  startsAt?: number;
  expiresAt: number;
  underLock?: true;
}

export interface TrackerRecord {
  /**
   * The erase generation. Every erase raises it, at least to the instant of the erase, because a deleted database has forgotten
   * the generations before. Commands of an older one are refused. A page that does not know the generation yet sends 0.
   */
  generation: number;
  /** `gpc`: opted out by Global Privacy Control, which an explicit opt-in overrides. */
  consent: "undecided" | "in" | "out" | "gpc";
  connection: { endpoint: string; apiKey: string } | null;
  visitor: VisitorRecord | null;
  liveChat: { id: string; kind: "lead" | "authenticated"; personId: string } | null;
  /** Oldest first; the last one is the current one. */
  selections: readonly Selection[];
  session: SessionRecord | null;
  /** The sessions that ended last, in the order in which their ends were recorded. */
  pastSessions: readonly SessionRecord[];
  nextSeq: number;
  /** The profile queues. */
  lanes: readonly ProfileQueue[];
  delivery: DeliveryRecord;
  /**
   * Who sends now, or from `startsAt` on. Held while sending, and renewed. `underLock`: the holder sends with the Web Lock
   * in hand, as long as it lives.
   */
  lease: Lease | null;
}

export const emptyRecord = (): TrackerRecord => ({
  generation: 0,
  consent: "undecided",
  connection: null,
  visitor: null,
  liveChat: null,
  selections: [],
  session: null,
  pastSessions: [],
  nextSeq: 1,
  lanes: [],
  delivery: { failures: 0, refusedAlone: 0 },
  lease: null,
});

export const isOptedOut = (record: TrackerRecord): boolean =>
  record.consent === "out" || record.consent === "gpc";

export const selectedProfile = (record: TrackerRecord): Profile | null =>
  record.selections.at(-1)?.profile ?? null;
