/// <reference lib="esnext.disposable" preserve="true" />
import type {
  EventMap,
  Outcome,
  OutboxRow,
  Page,
  PersonUpdate,
  Scalar,
  TrackerState,
} from "../protocol/api.js";
import type { InspectQuery } from "../protocol/host.js";
import { toJson } from "../protocol/json.js";
import type { WirePerson, WireProperties, WireScalar } from "../protocol/wire.js";
import { monotonicNow } from "../protocol/monotonic.js";
import { SECOND } from "../protocol/wire.js";
import type { NewCommand } from "./call-queue.js";
import { copyValue } from "./copy-value.js";
import { exposeInspection } from "./development.js";
import { isLiveChat } from "./live-chat.js";
import { check, describe, fail } from "./outcome.js";
import type { ErrorCode } from "./outcome.js";
import { readOptions } from "./tracking-options.js";
import type { TrackingOptions } from "./tracking-options.js";
import { startTracking } from "./tracking.js";
import type { Tracking } from "./tracking.js";
import { inThisZone, outsideZones } from "./zones.js";

const FLUSH_MS = 10 * SECOND;
/** A browser's timer cannot be set to much more. */
const LONGEST_MS = 2 ** 31 - 2 * SECOND;

/**
 * Tracks what people do on a website with Live Chat. Calls are stored on disk by a worker and delivered from there, so
 * that they cost the page next to nothing and survive being offline.
 *
 * Every call resolves within 10 s and none rejects or throws: see {@link Outcome}. Arguments are taken as they are at
 * the moment of the call.
 *
 * @typeParam Events - the site's event ids with the properties of each, checked at compile time
 * @example
 * const sdk = new PeopleTrackingSDK<{ action: { name: string; label?: string } }>();
 * await sdk.init("725f7…55b9");
 * await sdk.track("action", { name: "Button clicked", label: "add-to-favorites" });
 */
export class PeopleTrackingSDK<Events extends EventMap = EventMap> {
  /** Throws what reading them threw. */
  readonly #options: () => TrackingOptions;
  readonly #listeners = new Set<(state: TrackerState) => void>();
  #state: TrackerState | null = null;
  /** From the call of `init()` on, unless it fails. */
  #tracking: Tracking | undefined;
  #closed = false;

  /**
   * Touches no browser global: safe during server-side rendering. Never throws; `init()` reports what is wrong with the
   * options.
   */
  constructor(options: TrackingOptions = {}) {
    try {
      const copy = { ...options };
      this.#options = () => copy;
    } catch (thrown) {
      this.#options = () => {
        throw thrown;
      };
    }
  }

  /**
   * Starts tracking and records one page view. Needed before all else; what is called before it has resolved waits for
   * it. Again with the same key: the same outcome and no second page view. After a failure it can be tried again.
   *
   * Success means that tracking is on. Should the page view alone be refused (a full outbox), the console has a warning.
   *
   * @param apiKey - a key with the only scope `web:tracking:sdk`, printable ASCII; white space around it does not count
   * @returns 4001 where Live Chat is not initialized within 5 s, 2018 where the service refused the key or the Live Chat
   *   token, 2100 outside a browser, 2101 where no host could be started, 2102 for options that cannot be used or
   *   another key than the one in use
   * @example
   * const outcome = await sdk.init("725f7…55b9");
   * if (!outcome.success) console.error(outcome.error.message);
   */
  init(apiKey: string): Promise<Outcome> {
    if (this.#closed) return resolved(fail(2015));
    if (typeof document === "undefined") return resolved(fail(2100, "there is no document here"));
    const running = this.#tracking;
    try {
      const key = typeof apiKey === "string" ? apiKey.trim() : "";
      if (running) {
        check(running.settings.hello.apiKey === key, "init() was called with another key before");
        return running.started;
      }
      const options = this.#options();
      const settings = readOptions(options, key);
      const { liveChat = (globalThis as { LiveChat?: unknown }).LiveChat } = options;
      if (liveChat !== null && !isLiveChat(liveChat)) return resolved(fail(4001));
      const tracking = (this.#tracking = outsideZones(() =>
        startTracking(
          settings,
          liveChat,
          (state) => this.#notify(state),
          () => (this.#tracking = undefined),
        ),
      ));
      exposeInspection(this);
      return tracking.started;
    } catch (thrown) {
      return resolved(fail(2102, describe(thrown)));
    }
  }

  /**
   * Records a custom event that is defined on the service.
   *
   * @param eventId - the definition's id
   * @param properties - as defined, all optional; left out or at least one
   * @returns success: it is on disk. 2015 before `init()`; 2016 with the cause
   * @example
   * await sdk.track("action", { name: "Button clicked", label: "add-to-favorites" });
   */
  track<Id extends keyof Events & string>(eventId: Id, properties?: Events[Id]): Promise<Outcome> {
    return this.#with(2016, ({ queue }) => {
      const command: NewCommand = { type: "track", eventId: copyValue("eventId", eventId) as string };
      if (properties !== undefined) {
        command.properties = copyValue("properties", properties) as WireProperties;
      }
      return queue.add(command);
    });
  }

  /**
   * Records a page view, for sites with the option `pageViews: "manual"` or views that have no URL.
   *
   * @param page - replaces these fields of the present page; the option `page` redacts it as always
   * @returns success: it is on disk. 2015 before `init()`; 2102 for a page that cannot be used
   * @example
   * await sdk.trackPageView({ title: "Basket" });
   */
  trackPageView(page?: Partial<Page>): Promise<Outcome> {
    return this.#with(2102, (tracking) => tracking.viewPage(page));
  }

  /**
   * Replaces the fields given in the profile of a lead and keeps the rest; tags and contacts add to what is there.
   *
   * @returns success: it is on disk. 2015 before `init()`; 2017 with the cause, also where the profile is not a lead
   * @example
   * await sdk.updatePerson({ firstName: "Semi", contactInformation: { phone: [{ number: "421905123450" }] } });
   */
  updatePerson(person: PersonUpdate): Promise<Outcome> {
    return this.#with(2017, ({ queue }) =>
      queue.add({ type: "updatePerson", person: copyValue("person", person) as WirePerson }),
    );
  }

  /**
   * Adds one item to a custom attribute of type list in the profile of a lead.
   *
   * @returns success: it is on disk. 2015 before `init()`; 2019 with the cause, also where the profile is not a lead
   * @example
   * await sdk.appendToList("category", { name: "special" });
   */
  appendToList(attribute: string, item: Record<string, Scalar | null>): Promise<Outcome> {
    return this.#with(2019, ({ queue }) =>
      queue.add({
        type: "appendToList",
        attribute: copyValue("attribute", attribute) as string,
        item: copyValue("item", item) as Record<string, WireScalar>,
      }),
    );
  }

  /**
   * Sends what waits at once: skips back-off, never the service's `Retry-After`.
   *
   * @param options - `timeoutMs`: 10,000 by default. A longer one makes this the one call that may take over 10 s
   * @returns how many of the operations accepted before are neither acknowledged nor rejected by then
   * @example
   * const outcome = await sdk.flush({ timeoutMs: 2000 });
   */
  flush(options?: { timeoutMs?: number }): Promise<Outcome<{ waiting: number }>> {
    return this.#with(2102, (tracking) => {
      const timeoutMs = Math.min(options?.timeoutMs ?? FLUSH_MS, LONGEST_MS);
      check(timeoutMs >= 0, "timeoutMs must be a number of milliseconds");
      const limitMs = timeoutMs + SECOND;
      const until = monotonicNow() + timeoutMs;
      return tracking.request("flush", () => [tracking.connection.hostMoment(until)], limitMs, limitMs);
    });
  }

  /**
   * Rows of the outbox, in the order of acceptance: at most `limit` (100 by default) after the `seq` given.
   *
   * @example
   * const outcome = await sdk.inspect({ state: "rejected" });
   */
  inspect(query?: InspectQuery): Promise<Outcome<OutboxRow[]>> {
    return this.#with(2102, (tracking) => {
      const copy = copyValue("query", query ?? {}) as InspectQuery;
      return tracking.request("inspect", () => [copy]);
    });
  }

  /**
   * Has rejected operations sent once more: those with these ids, or all. A profile that the service refused to register
   * (`state.delivery.lastError` names it) is tried at once, too; what waits for it does not count as requeued.
   *
   * @example
   * const outcome = await sdk.retryRejected();
   */
  retryRejected(ids?: string[]): Promise<Outcome<{ requeued: number }>> {
    return this.#with(2102, (tracking) => {
      const copy = copyValue("ids", ids) as string[];
      return tracking.request("retryRejected", () => [copy]);
    });
  }

  /**
   * Drops rejected operations for good: those with these ids, or all. So it does with what waits for a profile that the
   * service refused to register (`state.delivery.lastError` names it), and with the merge of such a visitor.
   *
   * @example
   * const outcome = await sdk.discardRejected(["k3j9x0a2b4c6d8e1-7"]);
   */
  discardRejected(ids?: string[]): Promise<Outcome<{ discarded: number }>> {
    return this.#with(2102, (tracking) => {
      const copy = copyValue("ids", ids) as string[];
      return tracking.request("discardRejected", () => [copy]);
    });
  }

  /**
   * Calls the listener with the present state, if there is one yet, and then at each change, at most ten times a second.
   * A listener that throws does not keep others from being called. Beside zone.js it runs in the zone of this call.
   *
   * @returns a function that ends it
   * @example
   * const stop = sdk.subscribe(({ outbox }) => console.log(outbox.waiting, "waiting"));
   */
  subscribe(listener: (state: TrackerState) => void): () => void {
    if (this.#closed || typeof listener !== "function") return () => {};
    // Each subscription is its own, also of one listener twice.
    const own = inThisZone((state: TrackerState): void => listener(state));
    this.#listeners.add(own);
    if (this.#state) callSafely(own, this.#state);
    return () => void this.#listeners.delete(own);
  }

  /** What the tracker knows now; `null` until a host has responded. */
  get state(): TrackerState | null {
    return this.#state;
  }

  /**
   * Nothing more is recorded or sent, in every tab and after restarts, until `optIn()`. What waits stays.
   *
   * @returns 2015 before `init()`
   */
  optOut(): Promise<Outcome> {
    return this.#with(2015, (tracking) => tracking.request("setConsent", () => ["out"]));
  }

  /**
   * Ends `optOut()`, and overrides Global Privacy Control where that is respected.
   *
   * @returns 2015 before `init()`
   */
  optIn(): Promise<Outcome> {
    return this.#with(2015, (tracking) => tracking.request("setConsent", () => ["in"]));
  }

  /**
   * Removes the visitor, the session and the outbox from this browser. The choice to opt out stays; otherwise tracking
   * goes on, with a new visitor.
   *
   * @returns 2015 before `init()`
   */
  eraseLocalData(): Promise<Outcome> {
    return this.#with(2015, (tracking) => tracking.erase());
  }

  /**
   * Releases the host and removes all that was added to the page. What is stored is still delivered, by another tab or at
   * the next visit. Later calls on this instance answer 2015.
   */
  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#state = null;
    outsideZones(() => this.#tracking?.end());
  }

  /** The same as `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @param code - of an error in the arguments */
  #with<Data>(code: ErrorCode, call: (tracking: Tracking) => Promise<Outcome<Data>>): Promise<Outcome<Data>> {
    const tracking = this.#tracking;
    if (!tracking) return resolved(fail(2015));
    try {
      return outsideZones(() => call(tracking));
    } catch (thrown) {
      return resolved(fail(code, describe(thrown)));
    }
  }

  #notify(state: TrackerState): void {
    if (this.#closed || toJson(state) === toJson(this.#state)) return;
    this.#state = state;
    for (const listener of this.#listeners) callSafely(listener, state);
  }
}

const resolved = <Result>(outcome: Result): Promise<Result> => Promise.resolve(outcome);

const callSafely = (listener: (state: TrackerState) => void, state: TrackerState): void => {
  try {
    listener(state);
  } catch (thrown) {
    // As `reportError()` would, which older browsers do not have.
    setTimeout(() => {
      throw thrown;
    });
  }
};
