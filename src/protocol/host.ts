/**
 * The border between a page and its host. Pages call hosts with Comlink. Hosts report state with plain messages on the same
 * port (`HostMessage`), because a proxied callback would leak whenever a tab is closed.
 */
import type { LiveChatSession, OutboxRow, Outcome, Page, TrackerState, TrackingError } from "./api.js";
import type { WirePerson, WireProperties, WireScalar } from "./wire.js";
import { SECOND } from "./wire.js";

/** Part of every host's name: pages of another version never meet this one. Raise it with every change here. */
export const PROTOCOL_VERSION = 6;

/** Every call has an outcome within this time, even if its host dies. */
export const CALL_TIMEOUT_MS = 10 * SECOND;
/** A host refuses a command this long after its call, so that a call which was reported as failed is never stored. */
export const COMMAND_DEADLINE_MS = 9 * SECOND;
/**
 * If a page's clock differs from its host's by more than this, the host's clock is used: both run on one machine, so the
 * page's must be wrong. A smaller difference can also come from a busy page that reads its messages late.
 */
export const PAGE_CLOCK_TOLERANCE_MS = 10 * SECOND;

/** The fields that all commands of a batch share. */
export interface BatchHead extends Limits {
  /** The erase generation that the page knows. The store refuses commands of an older generation than its own. */
  generation: number;
  /** The page of its custom events, after the site's redaction. */
  page?: EventPage | undefined;
}
interface Limits {
  sessionTimeoutMs: number;
  maxWaiting: number;
  /** How long events may wait for others before they are sent. What a journal saved has none: it is late already. */
  deliveryDelayMs?: number;
}
type EventPage = Pick<Page, "url" | "title">;

/** A request to store one thing. `n` numbers the commands of a page load; the page's id and `n` make the operation's id. */
interface CommandBase extends Pick<BatchHead, "generation"> {
  n: number;
  /** The time of the call in milliseconds since the epoch: by the page's clock, and by the host's once the host has read it. */
  at: number;
  /** The host refuses the command after this instant of its own clock. A journaled command has no deadline. */
  deadline?: number;
}
export interface TrackCommand extends CommandBase, Limits {
  type: "track";
  eventId: string;
  properties?: WireProperties;
  page?: EventPage;
}
export interface PageViewCommand extends CommandBase, Limits {
  type: "pageView";
  /** Absent where the site redacted the page away. */
  page?: Partial<Page> | undefined;
}
export interface UpdatePersonCommand extends CommandBase, Pick<Limits, "maxWaiting"> {
  type: "updatePerson";
  person: WirePerson;
}
export interface AppendToListCommand extends CommandBase, Pick<Limits, "maxWaiting"> {
  type: "appendToList";
  attribute: string;
  item: Record<string, WireScalar>;
}
/** A change that Live Chat reported in this tab. */
export interface LiveChatCommand extends CommandBase {
  type: "liveChat";
  session: LiveChatSession | null;
  /** With `session: null`: the id of the session that this tab saw before. Only that session ends. */
  left?: string;
}
export type Command =
  TrackCommand | PageViewCommand | UpdatePersonCommand | AppendToListCommand | LiveChatCommand;

type SharedField = Exclude<keyof BatchHead, "page"> | "deadline";
type WithoutShared<Each> = Each extends TrackCommand
  ? Omit<Each, SharedField | "page">
  : Each extends Command
    ? Omit<Each, SharedField>
    : never;
/** A command on its way to the host, without the fields that its batch has for all commands. */
export type SentCommand = WithoutShared<Command>;

/**
 * The commands of one task, in order. A batch travels as JSON text: text costs a page less than objects, and the unload
 * journal stores the same text.
 */
export interface CommandBatch extends BatchHead {
  commands: SentCommand[];
}

/** A command that is not stored. */
export interface Refusal {
  n: number;
  error: TrackingError;
  /** No host has decided; the command may be stored if it is sent again. */
  undecided?: true;
}

/** The outcome of a command. Without an error, it is stored. */
export type CommandAnswer = Partial<Refusal> & Pick<Refusal, "n">;

/** A page's description of itself, which it sends to each host that it attaches to. */
export interface PageHello {
  protocol: number;
  namespace: string;
  /** Absolute URL without a slash at its end. */
  endpoint: string;
  apiKey: string;
  /** The site's other options as JSON. Nothing of a hello is checked before it is sent. */
  options: string;
  online: boolean;
  /** The site respects Global Privacy Control and the browser sends it. */
  globalPrivacyControl: boolean;
}

/** The state as hosts report it. Only the page knows the kind of its host. */
export type HostState = Omit<TrackerState, "host">;

export type AttachAnswer =
  | {
      ok: true;
      generation: number;
      state: HostState;
      /** The response to the request of `init()`, if the page sent one with it. */
      init?: InitAnswer;
    }
  /** This host speaks another version, or its storage failed; with 2102 the hello is wrong, for every host. */
  | { ok: false; error: TrackingError };

/** The request of `init()`. It travels with the page's first message, so that a start waits for one response only. */
export interface InitRequest {
  /** The time of the call: by the page's clock, and by the host's once the host has read it. */
  at: number;
  /** The same by the host's monotonic clock; NaN if the page does not know that clock yet. */
  calledAt: number;
  /** The current Live Chat session; `null` if there is none, and `undefined` on a site without Live Chat. */
  liveChat: LiveChatSession | null | undefined;
  /** The page view of the page load. All instances on a page give it the same id. */
  view?: LoadView | undefined;
}
export interface LoadView {
  pageId: string;
  command: Omit<PageViewCommand, "generation">;
}
export type InitAnswer =
  | {
      success: true;
      /** Live Chat reads `null` but the store has this session: read again after a second. */
      rereadLiveChat?: string;
      /** The outcome of the page view; absent while opted out. */
      view?: CommandAnswer;
    }
  | { success: false; error: TrackingError };

export type PageSignal = "online" | "offline" | "visible" | "hidden";

/** The methods of a host. Each resolves; none rejects for an expected reason. */
export interface Host {
  attach(hello: PageHello, init?: InitRequest): Promise<AttachAnswer>;
  /**
   * Stores the commands, and returns those that are not stored, in their order. It is idempotent: a repeated number changes
   * nothing and gets the same answer.
   *
   * @param batch - a `CommandBatch` as JSON
   * @param calledAt - when the first of the calls was made, by the host's monotonic clock; absent for a journal
   */
  submit(pageId: string, batch: string, calledAt?: number): Promise<Refusal[]>;
  signal(signal: PageSignal): Promise<void>;
  /** @param until - by the host's monotonic clock, so that a repeated request does not take longer */
  flush(until: number): Promise<Outcome<{ waiting: number }>>;
  inspect(query: InspectQuery): Promise<Outcome<OutboxRow[]>>;
  retryRejected(ids?: string[]): Promise<Outcome<{ requeued: number }>>;
  discardRejected(ids?: string[]): Promise<Outcome<{ discarded: number }>>;
  setConsent(consent: "in" | "out"): Promise<Outcome>;
  eraseLocalData(): Promise<Outcome>;
  detach(): Promise<void>;
}

export interface InspectQuery {
  state?: "waiting" | "rejected";
  /** Rows after this `seq`. */
  after?: number;
  /** At most this many rows; 100 by default. */
  limit?: number;
}

/** The host's clocks when it posts a message. From them a page knows how far its own clocks differ. */
export interface HostClocks {
  /** Milliseconds since the epoch. */
  now: number;
  /** See `monotonicNow()`. */
  monotonic: number;
}

/** A message that a host posts to its pages without a request. */
export type HostMessage = { clocks: HostClocks } & (
  | {
      /** Sent once, when the host accepts calls. A second hello with another instance means that the first host is gone. */
      peopleTracking: "hello";
      protocol: number;
      instance: string;
    }
  | { peopleTracking: "state"; state: HostState; generation: number }
);
