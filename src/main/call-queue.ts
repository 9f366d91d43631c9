/**
 * The calls of this page load, in order, until a host has decided each. The calls of one task travel together, and each
 * has its outcome within 10 s. A call that was reported as failed is never stored: the host refuses a command past its
 * deadline, which lies before the caller's timeout. Only a host reports a journaled call as failed, for any page may find
 * and deliver it.
 */
import type { HostKind, Outcome } from "../protocol/api.js";
import { CALL_TIMEOUT_MS, COMMAND_DEADLINE_MS } from "../protocol/host.js";
import type { LoadView, Refusal, SentCommand } from "../protocol/host.js";
import { monotonicNow } from "../protocol/monotonic.js";
import { SECOND } from "../protocol/wire.js";
import { setHead, textOf } from "./call-batch.js";
import type { CallBatch } from "./call-batch.js";
import type { HostConnection } from "./host/host-connection.js";
import { SUCCESS, describe } from "./outcome.js";
import type { Failure } from "./outcome.js";
import type { PageViews } from "./page-views.js";
import { settleBatch } from "./settle-batch.js";
import type { Settings } from "./tracking-options.js";
import { createUnloadJournal, mayBeLost } from "./unload-journal.js";

type New<Each> = Each extends SentCommand ? Omit<Each, "n" | "at"> : never;
/** A command before the queue gives it its number and time. */
export type NewCommand = New<SentCommand>;
export type NewPageView = Extract<NewCommand, { type: "pageView" }>;

/** A host that could not decide gets the command again after this. */
const UNDECIDED_RETRY_MS = 5 * SECOND;

export interface CallQueue {
  add(command: NewCommand): Promise<Outcome>;
  /** Sends what the present task has added so far. */
  flush: () => void;
  hasUndecided: () => boolean;
  /** Journals what no host has decided. */
  save(): void;
  /** The page goes, and may end with any call: from now on each call is journaled before it returns. Or it is back. */
  setPageHidden(isHidden: boolean): void;
  /** @param generation - the erase generation that this host reports */
  onState(host: HostKind, generation: number): void;
  /** What was called while the page was only prerendered happens now. */
  restamp(): void;
  /** A page view that takes another way to the host than this queue. */
  numbered(view: NewPageView, at: number): LoadView["command"];
  /** Sends what was held back, and from now on at once. */
  open(): void;
  /** Gives all that was held back this outcome, and journals what was sent. */
  end(failure: Failure): void;
}

export const createCallQueue = (
  connection: HostConnection,
  { name, limits }: Settings,
  pages: Pick<PageViews, "ofEvent">,
): CallQueue => {
  const journal = createUnloadJournal(name, connection.pageId);
  /** In the order of the calls. All of them are sent, once `init()` has succeeded. */
  const undecided: CallBatch[] = [];
  let count = 0;
  /** Of the present task. */
  let batch: CallBatch | undefined;
  let isOpen = false;
  let isPageHidden = false;
  let generation = 0;
  let hostKind: HostKind | undefined;

  /** Milliseconds since the epoch, by the host's clock where the page's own cannot be right. */
  const hostNow = (): number => Date.now() + connection.clockSkewMs();

  const writeJournal = (): void => {
    // What waits for `init()` is journaled only where the page goes: should `init()` fail, its callers get that outcome.
    if (!isOpen && !isPageHidden) return;
    if (!isOpen) for (const each of undecided) setHead(each, generation, limits);
    journal.write(undecided, hostNow());
  };

  const send = (each: CallBatch): void => {
    setHead(each, generation, limits);
    void submit(each, true);
  };

  /** @param isTimed - the host gets the time of the call, and refuses it past its deadline */
  const submit = async (each: CallBatch, isTimed: boolean): Promise<void> => {
    const { calledAt } = each;
    // Nobody waits for a Live Chat change.
    const isAwaited = isTimed && each.commands[0]!.type !== "liveChat";
    let refusals: Refusal[] | undefined;
    let cause = "";
    try {
      refusals = await connection.request(
        "submit",
        () => [connection.pageId, textOf(each), isTimed ? connection.hostMoment(calledAt) : undefined],
        isAwaited ? calledAt + CALL_TIMEOUT_MS - monotonicNow() : undefined,
      );
    } catch (thrown) {
      // No host has responded; or it cannot be written as JSON, or not be sent: a page can patch anything.
      cause = describe(thrown);
    }
    const mayBeStored =
      isAwaited && connection.hasAbandoned() && monotonicNow() < calledAt + COMMAND_DEADLINE_MS;
    const [journaled, inDoubt] = settleBatch(each, refusals, cause, mayBeStored);
    const rest = [journaled, inDoubt].filter(({ commands }) => commands.length);
    undecided.splice(undecided.indexOf(each), 1, ...rest);
    if (!undecided.length) journal.remove();
    for (const some of rest) {
      setTimeout(() => void submit(some, some === inDoubt), UNDECIDED_RETRY_MS);
    }
  };

  const flush = (): void => {
    const ended = batch;
    if (!ended) return;
    batch = undefined;
    undecided.push(ended);
    if (isOpen) send(ended);
    if (isPageHidden || (isOpen && mayBeLost(hostKind))) writeJournal();
  };

  /** One function for all calls, not one made for each. */
  const awaitOutcome = (resolve: CallBatch["resolves"][number]): void => void batch!.resolves.push(resolve);

  const save = (): void => {
    flush();
    writeJournal();
  };

  return {
    add: (command) => {
      const isAlone = command.type === "liveChat";
      const eventPage = command.type === "track" ? pages.ofEvent(batch?.page) : undefined;
      if (isAlone || (eventPage && batch?.page && eventPage !== batch.page)) flush();
      if (!batch) {
        batch = { commands: [], resolves: [], calledAt: monotonicNow(), journaled: 0 };
        queueMicrotask(flush);
      }
      const numbered = command as SentCommand;
      numbered.n = ++count;
      numbered.at = hostNow();
      batch.commands.push(numbered);
      batch.page ??= eventPage;
      const outcome = new Promise(awaitOutcome);
      if (isAlone || isPageHidden) flush();
      return outcome;
    },

    flush,
    hasUndecided: () => undecided.length > 0,
    save,

    setPageHidden: (isHidden) => {
      isPageHidden = isHidden;
      if (isHidden) save();
    },
    onState: (host, reported) => {
      hostKind = host;
      generation = reported;
    },

    restamp: () => {
      flush();
      for (const each of undecided) {
        each.calledAt = monotonicNow();
        for (const command of each.commands) command.at = hostNow();
      }
    },

    numbered: (view, at) => ({ ...view, at, n: ++count, ...limits }),

    open: () => {
      flush();
      isOpen = true;
      [...undecided].forEach(send); // one that cannot be sent leaves the list at once
    },

    end: (failure) => {
      save();
      if (isOpen) return;
      for (const { resolves, journaled } of undecided.splice(0)) {
        resolves.forEach((resolve, index) => resolve(index < journaled ? SUCCESS : failure));
      }
    },
  };
};
