/** The public types: arguments and results of the calls. The class itself is in `src/main`. */

/**
 * A value of a property, an attribute or a list item. An object with a `toJSON` method travels as what that returns: a `Date`
 * as its ISO 8601 time, a `URL` as its text.
 */
export type Scalar = string | number | boolean | Date | { toJSON(): string | number | boolean | null };

/** Every call resolves to one of these; none rejects. */
export type Outcome<T = null> = { success: true; data: T } | { success: false; error: TrackingError };

export interface TrackingError {
  /** The specification's codes (4001, 2015–2019), the service's own, and the tracker's own from 2100 on. */
  code: number;
  name: string;
  /** What was wrong and, where it is known, what to do. */
  message: string;
  /** Where the error arose: `fe-snippet` (the page), `worker` or `people-service`. */
  origin: string;
  /** Where it surfaced: always `fe-snippet`. */
  platform: string;
}

/** Event ids and the properties that each takes; the type argument of `PeopleTrackingSDK`. */
export type EventMap = Record<string, EventProperties>;
/** A field that is `null` counts as omitted. A list must not contain `null`. */
export type EventProperties = Record<
  string,
  Scalar | null | readonly (Scalar | Record<string, Scalar | null>)[]
>;

/** The page of a page view. */
export interface Page {
  /** Absolute URL without its fragment. */
  url: string;
  title: string;
  /** Absolute URL of the page that led here, or an empty string. */
  referrer: string;
}

/**
 * The fields of a person that `updatePerson()` replaces, except `tags` and contacts, which are added. A field that is `null`
 * counts as omitted and keeps its value.
 */
export interface PersonUpdate {
  /** At most 255 characters. */
  firstName?: string | null;
  /** At most 255 characters. */
  lastName?: string | null;
  /** At most 50 characters. */
  middleName?: string | null;
  /** At most 256 characters. */
  address?: string | null;
  /** At most 50 characters. */
  city?: string | null;
  /** At most 50 characters. */
  country?: string | null;
  /** At most 256 characters. */
  externalId?: string | null;
  /** `male` or `female`, in any case. */
  gender?: string | null;
  /** A real date, `YYYY-MM-DD`. */
  birthDate?: string | null;
  /** `xx` or `xx-YY` (BCP 47), in any case. */
  preferredLanguage?: string | null;
  /** A URL of at most 2083 characters. */
  profilePicture?: string | null;
  tags?: readonly string[] | null;
  contactInformation?: {
    /** At most 100, each at most 255 characters. */
    email?: readonly { address: string }[] | null;
    /** At most 100, each at most 50 digits (E.164). */
    phone?: readonly { number: string }[] | null;
  } | null;
  /** Names of at most 256 characters, none of `{}[]`; at most 4096 characters a value. */
  customAttributes?: Record<string, Scalar | null | readonly Record<string, Scalar | null>[]> | null;
  integrations?: { salesforce?: { contactId?: string | null; leadId?: string } };
}

export type ProfileKind = "visitor" | "lead" | "authenticated";
export interface Profile {
  kind: ProfileKind;
  id: string;
}

/** A Live Chat session, as the site's Live Chat reports it. */
export interface LiveChatSession {
  /** The Live Chat session's id; it stays the same when a lead becomes authenticated. */
  id: string;
  kind: "lead" | "authenticated";
  /** 1 to 128 characters. */
  personId: string;
  /** Proves to the People service that this browser speaks for that person. */
  token: string;
}

/**
 * Where the tracker learns who is at the keyboard. A site's Live Chat has this shape at `globalThis.LiveChat`, or is
 * given as the option `liveChat`.
 *
 * @example
 * const liveChat: LiveChatSource = {
 *   ready: () => chat.whenInitialized(),
 *   session: () => chat.session,
 *   subscribe: (listener) => chat.on("session", listener), // returns a function that ends it
 * };
 */
export interface LiveChatSource {
  /** Resolves once Live Chat is initialized; `init()` answers 4001 if it rejects or takes over 5 s. */
  ready(): Promise<void>;
  /** The session as it is now: `null` before a chat is started or a user has signed in, and after its end. */
  session(): LiveChatSession | null;
  /** Calls the listener at each change. Returns a function that ends it. */
  subscribe(listener: (session: LiveChatSession | null) => void): () => void;
}

export type HostKind = "shared" | "dedicated" | "page";

/** The tracker's state, as `subscribe()` and `state` report it. Times are ISO 8601, UTC, with milliseconds. */
export interface TrackerState {
  host: HostKind;
  /**
   * `memory`: IndexedDB does not open, stalls or refuses. What is accepted is lost if its host ends before it is delivered.
   * `outbox` counts only that; what waits on the disk is delivered once the disk answers.
   */
  storage: "disk" | "memory";
  online: boolean;
  optedOut: boolean;
  profile: Profile | null;
  session: { id: string; startedAt: string; lastActivityAt: string; expiresAt: string } | null;
  outbox: { waiting: number; rejected: number };
  delivery: {
    /**
     * `idle`: nothing waits, or events wait for others (`deliveryDelayMs`).
     * `stopped`: the service refused the key, the profile's token or the profile itself; everything is kept. While other
     * profiles are still delivered, only `lastError` shows it.
     */
    status: "idle" | "sending" | "retrying" | "stopped";
    nextAttemptAt?: string;
    lastError?: TrackingError;
  };
}

/** One row of the object store `outbox`, as it is stored in IndexedDB. */
export interface OutboxRow {
  /** The order of acceptance, over all profiles. */
  seq: number;
  /** The operation's id. */
  id: string;
  type: "event" | "person.update" | "list.append" | "profile.merge";
  state: "waiting" | "rejected";
  profile: Profile;
  sessionId?: string;
  occurredAt: string;
  /** Why it was rejected. */
  error?: TrackingError;
  /** The operation exactly as it is sent. */
  operation: object;
}
