/**
 * The border between page and host (worker). Calls travel over Comlink; what the host says unasked (`HostMessage`)
 * travels as plain messages on the same port, so that nothing is proxied and nothing leaks when a tab goes.
 */
import type { LiveChatSession, OutboxRow, Outcome, Page, TrackerState, TrackingError } from "./api.js";
import type { WirePerson, WireProperties, WireScalar } from "./wire.js";
import { SECOND } from "./wire.js";

/** Part of every host's name: pages of another version never meet this one. Raise it with every change here. */
export const PROTOCOL_VERSION = 6;

/** A call has an outcome by then, whatever dies underneath. */
export const CALL_TIMEOUT_MS = 10 * SECOND;
/** A host refuses a command this long after its call, so that what was told as failed is never stored. */
export const COMMAND_DEADLINE_MS = 9 * SECOND;
/**
 * A page's clock that differs from its host's by more than this cannot be right: both run on one machine. Then the host's
 * counts. Less is how long a busy page may take to read what its host's clock says.
 */
export const PAGE_CLOCK_TOLERANCE_MS = 10 * SECOND;

/** What the calls of one task have in common: said once, before them. */
export interface BatchHead extends Limits {
  /** The erase generation that the page knew; an older one than the store's is refused. */
  generation: number;
  /** Where its custom events happened, as the site's redaction left it. */
  page?: EventPage | undefined;
}
interface Limits {
  sessionTimeoutMs: number;
  maxWaiting: number;
}
type EventPage = Pick<Page, "url" | "title">;

/** What a page asks to have stored. `n` numbers the commands of a page load; with the page's id it makes the operation's id. */
interface CommandBase extends Pick<BatchHead, "generation"> {
  n: number;
  /** When the call was made: milliseconds since the epoch, by the page's clock, and by the host's once it has read it. */
  at: number;
  /** Past this instant of its own clock the host refuses; absent on what a journal saved, which nobody was told about. */
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
/** A change that this tab's Live Chat told of. */
export interface LiveChatCommand extends CommandBase {
  type: "liveChat";
  session: LiveChatSession | null;
  /** With `session: null`: the id that this tab saw before; only that one ends. */
  left?: string;
}
export type Command =
  TrackCommand | PageViewCommand | UpdatePersonCommand | AppendToListCommand | LiveChatCommand;

type Said = Exclude<keyof BatchHead, "page"> | "deadline";
type Sent<Each> = Each extends TrackCommand
  ? Omit<Each, Said | "page">
  : Each extends Command
    ? Omit<Each, Said>
    : never;
/** A command on its way to the host: the rest of it is said by its batch, for all. */
export type SentCommand = Sent<Command>;

/**
 * The calls of one task, in order. They travel as its JSON: text costs a page less than objects do, and its unload
 * journal keeps the same text.
 */
export interface CommandBatch extends BatchHead {
  commands: SentCommand[];
}

/** A command that is not stored. */
export interface Refusal {
  n: number;
  error: TrackingError;
  /** Nobody could decide; sent again the command may be stored. */
  undecided?: true;
}

/** What became of a command: without an error, it is stored. */
export type CommandAnswer = Partial<Refusal> & Pick<Refusal, "n">;

/** What a page says of itself when it attaches, and again to every new host. */
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

/** The state as hosts report it: the kind of its host is known to the page alone. */
export type HostState = Omit<TrackerState, "host">;

export type AttachAnswer =
  | {
      ok: true;
      generation: number;
      state: HostState;
      /** To what `init()` asked with it. */
      init?: InitAnswer;
    }
  /** This host speaks another version, or its storage failed; with 2102 the hello is wrong, for every host. */
  | { ok: false; error: TrackingError };

/** What `init()` asks. It goes with the page's first word to a host, for each wait on another is a user's time. */
export interface InitRequest {
  /** When it was called, by the page's clock, and by the host's once it has read it. */
  at: number;
  /** The same by the host's monotonic clock; NaN where the page has not heard of that yet. */
  calledAt: number;
  /** What Live Chat reads now; `undefined` on a site without Live Chat. */
  liveChat: LiveChatSession | null | undefined;
  /** Of the page load, under the one id that all instances on the page give it. */
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
      /** What became of the page view; absent while opted out. */
      view?: CommandAnswer;
    }
  | { success: false; error: TrackingError };

export type PageSignal = "online" | "offline" | "visible";

/** What a host answers. Every method resolves; none rejects for an expected reason. */
export interface Host {
  attach(hello: PageHello, init?: InitRequest): Promise<AttachAnswer>;
  /**
   * Answers what is not stored, in its order; all else is. Sending the same numbers again is answered again and changes nothing.
   *
   * @param batch - a `CommandBatch` as JSON
   * @param calledAt - when the first of the calls was made, by the host's monotonic clock; absent for a journal's
   */
  submit(pageId: string, batch: string, calledAt?: number): Promise<Refusal[]>;
  signal(signal: PageSignal): Promise<void>;
  /** @param until - by the host's monotonic clock: requested again, it takes no longer */
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

/** What a host's clocks show as it posts a message: a page that reads it knows how far its own differ. */
export interface HostClocks {
  /** Milliseconds since the epoch. */
  now: number;
  /** See `monotonicNow()`. */
  monotonic: number;
}

/** What a host posts to its pages unasked. */
export type HostMessage = { clocks: HostClocks } & (
  | {
      /** Once, when it takes calls; a second one with another instance means that the first host is gone. */
      peopleTracking: "hello";
      protocol: number;
      instance: string;
    }
  | { peopleTracking: "state"; state: HostState; generation: number }
);
