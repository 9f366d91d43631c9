/**
 * The border between page and host (worker). Calls travel over Comlink; what the host says unasked (`HostMessage`)
 * travels as plain messages on the same port, so that nothing is proxied and nothing leaks when a tab goes.
 */
import type {
  HostKind,
  LiveChatSession,
  OutboxRow,
  Outcome,
  Page,
  TrackerState,
  TrackingError,
} from "./api.js";
import type { WirePerson, WireProperties, WireScalar } from "./wire.js";
import { SECOND } from "./wire.js";

/** Part of every host's name: pages of another version never meet this one. Raise it with every change here. */
export const PROTOCOL_VERSION = 1;

/** A call has an outcome by then, whatever dies underneath. */
export const CALL_TIMEOUT_MS = 10 * SECOND;
/** A host refuses a command this long after its call, so that what was told as failed is never stored. */
export const COMMAND_DEADLINE_MS = 9 * SECOND;

/** What a page asks to have stored. `n` numbers the commands of a page load; with the page's id it makes the operation's id. */
interface CommandBase {
  n: number;
  /** When the call was made: milliseconds since the epoch, by the page's clock. */
  at: number;
  /** The erase generation that the page knew; an older one than the store's is refused. */
  generation: number;
  /** Past this the host refuses; absent on what a journal saved, which nobody was told about. */
  deadline?: number;
}
export interface TrackCommand extends CommandBase {
  type: "track";
  eventId: string;
  properties?: WireProperties;
  page?: { url: string; title: string };
  sessionTimeoutMs: number;
  maxWaiting: number;
}
export interface PageViewCommand extends CommandBase {
  type: "pageView";
  /** Absent where the site redacted the page away. */
  page?: Partial<Page>;
  sessionTimeoutMs: number;
  maxWaiting: number;
}
export interface UpdatePersonCommand extends CommandBase {
  type: "updatePerson";
  person: WirePerson;
  maxWaiting: number;
}
export interface AppendToListCommand extends CommandBase {
  type: "appendToList";
  attribute: string;
  item: Record<string, WireScalar>;
  maxWaiting: number;
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

export interface CommandAnswer {
  n: number;
  /** Absent: stored. */
  error?: TrackingError;
  /** With an error: nobody could decide, nothing is stored, and sent again the command may be. */
  undecided?: true;
}

/** What a page says of itself when it attaches, and again to every new host. */
export interface PageHello {
  protocol: number;
  namespace: string;
  pageId: string;
  endpoint: string;
  apiKey: string;
  durability: "relaxed" | "strict";
  host: HostKind;
  online: boolean;
  /** The site respects Global Privacy Control and the browser sends it. */
  globalPrivacyControl: boolean;
}

export type AttachAnswer =
  | { ok: true; generation: number; state: TrackerState }
  /** This host speaks another version, or its storage failed. */
  | { ok: false; error: TrackingError };

/** The page's first command of a page load, held until a registration was asked for. */
export interface InitRequest {
  pageId: string;
  at: number;
  /** What Live Chat reads now; `undefined` on a site without Live Chat. */
  liveChat: LiveChatSession | null | undefined;
}
export type InitAnswer =
  | {
      ok: true;
      generation: number;
      optedOut: boolean;
      /** Live Chat reads `null` but the store has this session: read again after a second. */
      rereadLiveChat?: string;
    }
  | { ok: false; error: TrackingError };

export type PageSignal = "online" | "offline" | "visible";

/** What a host answers. Every method resolves; none rejects for an expected reason. */
export interface Host {
  attach(hello: PageHello): Promise<AttachAnswer>;
  init(request: InitRequest): Promise<InitAnswer>;
  /** Answers come in the order of the commands. Sending the same numbers again is answered again and changes nothing. */
  submit(pageId: string, commands: Command[]): Promise<CommandAnswer[]>;
  signal(pageId: string, signal: PageSignal): Promise<void>;
  flush(timeoutMs: number): Promise<Outcome<{ waiting: number }>>;
  inspect(query: InspectQuery): Promise<Outcome<OutboxRow[]>>;
  retryRejected(ids?: string[]): Promise<Outcome<{ requeued: number }>>;
  discardRejected(ids?: string[]): Promise<Outcome<{ discarded: number }>>;
  setConsent(consent: "in" | "out"): Promise<Outcome>;
  eraseLocalData(): Promise<Outcome>;
  detach(pageId: string): Promise<void>;
}

export interface InspectQuery {
  state?: "waiting" | "rejected";
  /** Rows after this `seq`. */
  after?: number;
  /** At most this many rows; 100 by default. */
  limit?: number;
}

/** What a host posts to its pages unasked. */
export type HostMessage =
  /** Once, when it can take calls; a second one with another instance means that the first host is gone. */
  | { peopleTracking: "hello"; protocol: number; instance: string }
  | { peopleTracking: "state"; state: TrackerState; generation: number };
