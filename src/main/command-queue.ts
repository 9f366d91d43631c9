/**
 * The calls of this page load, in order. Those of one task travel together; each has its outcome in time. What was told
 * as failed is never stored: the host refuses a command past its deadline, which lies before the caller's time-out, and
 * what stands in the unload journal, where any page may find it, is told as failed by a host alone.
 */
import type { HostKind, Outcome } from "../protocol/api.js";
import { CALL_TIMEOUT_MS, COMMAND_DEADLINE_MS, PAGE_CLOCK_TOLERANCE_MS } from "../protocol/host.js";
import type { Command, LoadView, Refusal, SentCommand } from "../protocol/host.js";
import { monotonicNow } from "../protocol/monotonic.js";
import { SECOND } from "../protocol/wire.js";
import type { HostConnection } from "./host-connection.js";
import { documentText } from "./document-text.js";
import { describe, fail } from "./outcome.js";
import type { ErrorCode, Failure } from "./outcome.js";
import type { PageOfEvents } from "./page-views.js";
import type { Settings } from "./tracking-options.js";
import { createUnloadJournal, textOf } from "./unload-journal.js";
import type { JournaledBatch } from "./unload-journal.js";

type Draft<Each> = Each extends SentCommand ? Omit<Each, "n" | "at"> : never;
export type CommandDraft = Draft<SentCommand>;
type PageViewDraft = Extract<CommandDraft, { type: "pageView" }>;

/** The calls of one task, as long as the page's URL and title stay the same. */
interface Batch extends JournaledBatch {
  /** When the first of them was made, by the page's monotonic clock. */
  calledAt: number;
  /** The page's own clock cannot be right. */
  isByHostClock?: boolean;
  /** One for each command. */
  resolves: ((outcome: Outcome) => void)[];
  /** Of its events. */
  page: PageOfEvents | undefined;
}

const SUCCESS: Outcome = { success: true, data: null };
/** A host that could not decide is asked again after this. */
const UNDECIDED_RETRY_MS = 5 * SECOND;

export interface CommandQueue {
  /** The erase generation that the host told last. */
  generation: number;
  host: HostKind | undefined;
  /** The page goes: it may end with any call, which is journaled inside the call itself. */
  isLeaving: boolean;
  hasUndecided: () => boolean;
  /** @param seen - the page of a custom event */
  add(draft: CommandDraft, seen?: PageOfEvents): Promise<Outcome>;
  /** Sends what the present task has asked for so far. */
  flush: () => void;
  /** Journals what no host has decided. */
  save(): void;
  /** What was asked while the page was only prerendered happens now. */
  restamp(): void;
  /** A page view that another way than this one takes to the host. */
  numbered(draft: PageViewDraft, at: number): LoadView["command"];
  /** Sends what was held back, and from now on at once. */
  open(): void;
  /** Answers all that was held back with one failure. */
  refuse(failure: Failure): void;
}

export const createCommandQueue = (
  connection: HostConnection,
  { name, limits }: Settings,
  onTaskEnd: () => void,
): CommandQueue => {
  const journal = createUnloadJournal(name, connection.pageId);
  /** In the order of the calls. Sent, once `init()` has succeeded. */
  const undecided: Batch[] = [];
  let count = 0;
  /** The calls of the present task. */
  let commands: SentCommand[] = [];
  let resolves: Batch["resolves"] = [];
  let calledAt = 0;
  /** Of the task's events so far. */
  let page: PageOfEvents | undefined;
  let isOpen = false;

  /** What it said to the journal before the host told its generation it does not say to the host. */
  const writeHead = (batch: Batch): void => {
    if (batch.head?.generation === queue.generation) return;
    batch.head = { generation: queue.generation, ...limits, page: batch.page?.sent };
    batch.text = undefined;
  };

  /** What waits for `init()` only where the page goes: should that fail and the page live on, its callers are told so. */
  const write = (): void => {
    if (!isOpen && !queue.isLeaving) return;
    if (!isOpen) undecided.forEach(writeHead);
    const skewMs = connection.clockSkewMs();
    if (Math.abs(skewMs) > PAGE_CLOCK_TOLERANCE_MS) undecided.forEach((batch) => setTimes(batch, skewMs));
    journal.write(undecided, Date.now() + skewMs);
  };

  /** Who finds the journal does not know this page's clock. */
  const setTimes = (batch: Batch, skewMs: number): void => {
    if (batch.isByHostClock) return;
    batch.isByHostClock = true;
    batch.text = undefined;
    for (const command of batch.commands) command.at += skewMs;
  };

  const send = (batch: Batch): void => {
    writeHead(batch);
    void submit(batch, true);
  };

  /** @param isTimed the host is told when it was called, and refuses it past its deadline */
  const submit = async (batch: Batch, isTimed: boolean): Promise<void> => {
    const { calledAt } = batch;
    // Nobody waits for a Live Chat change.
    const isAwaited = isTimed && batch.commands[0]!.type !== "liveChat";
    let refusals: Refusal[] | undefined;
    let cause = "the tracker did not answer in time";
    try {
      refusals = await connection.ask(
        "submit",
        () => [connection.pageId, textOf(batch), isTimed ? connection.hostMoment(calledAt) : undefined],
        isAwaited ? calledAt + CALL_TIMEOUT_MS - monotonicNow() : undefined,
      );
    } catch (thrown) {
      // It cannot be written as JSON, or not be sent: a page can patch anything.
      cause = describe(thrown);
    }
    const { journaled } = batch;
    const rest = (): Batch => ({ ...batch, commands: [], resolves: [], journaled: 0, text: undefined });
    /** For this host or the next to decide. */
    const onDisk = rest();
    /** A host that was left may yet store it: until the deadline nobody can tell that it failed. */
    const inDoubt = rest();
    let next = 0;
    batch.commands.forEach((command, index) => {
      const resolve = batch.resolves[index]!;
      const refusal = refusals?.[next]?.n === command.n ? refusals[next++] : undefined;
      let undecidedYet: Batch | undefined;
      if (index < journaled && (!refusals || refusal?.undecided)) {
        undecidedYet = onDisk;
        onDisk.journaled++;
        resolve(SUCCESS);
      } else if (
        refusal?.undecided &&
        isAwaited &&
        connection.hasLeft() &&
        monotonicNow() < calledAt + COMMAND_DEADLINE_MS
      ) {
        undecidedYet = inDoubt;
      } else if (!refusals) resolve(fail(CODES[command.type], cause));
      else resolve(refusal ? { success: false, error: refusal.error } : SUCCESS);
      undecidedYet?.commands.push(command);
      undecidedYet?.resolves.push(resolve);
    });
    const left = [onDisk, inDoubt].filter(({ commands: some }) => some.length);
    undecided.splice(undecided.indexOf(batch), 1, ...left);
    if (!undecided.length) journal.remove();
    for (const some of left) {
      setTimeout(() => void submit(some, some === inDoubt), UNDECIDED_RETRY_MS);
    }
  };

  /** One function for all calls, not one made for each. */
  const awaitOutcome = (resolve: Batch["resolves"][number]): void => void resolves.push(resolve);

  const endTask = (): void => {
    onTaskEnd();
    queue.flush();
  };

  const queue: CommandQueue = {
    generation: 0,
    host: undefined,
    isLeaving: false,

    hasUndecided: () => undecided.length > 0,

    add: (draft, seen) => {
      const isAlone = draft.type === "liveChat";
      if (isAlone || (seen && page && seen !== page)) queue.flush();
      page ??= seen;
      const command = draft as SentCommand;
      command.n = ++count;
      command.at = Date.now();
      const outcome = new Promise(awaitOutcome);
      if (commands.push(command) === 1) {
        calledAt = monotonicNow();
        queueMicrotask(endTask);
      }
      if (isAlone || queue.isLeaving) queue.flush();
      return outcome;
    },

    flush: () => {
      if (!commands.length) return;
      const batch: Batch = { commands, resolves, page, journaled: 0, calledAt };
      commands = [];
      resolves = [];
      page = undefined;
      undecided.push(batch);
      if (isOpen) send(batch);
      if (queue.isLeaving || (isOpen && mayBeLost(queue.host))) write();
    },

    save: () => {
      queue.flush();
      write();
    },

    restamp: () => {
      queue.flush();
      for (const batch of undecided) {
        batch.calledAt = monotonicNow();
        for (const command of batch.commands) command.at = Date.now();
      }
    },

    numbered: (draft, at) => ({ ...draft, at, n: ++count, ...limits }),

    open: () => {
      queue.flush();
      isOpen = true;
      [...undecided].forEach(send); // one that cannot be sent leaves it at once
    },

    refuse: (failure) => {
      queue.flush();
      if (isOpen) return;
      for (const { resolves: held, journaled } of undecided.splice(0)) {
        held.forEach((resolve, index) => resolve(index < journaled ? SUCCESS : failure));
      }
    },
  };
  return queue;
};

/**
 * Whether what was just posted may be lost with the page, and no `pagehide` tell of it: a hidden page, as phones end
 * them; a page that closes itself, which in WebKit runs no `pagehide` and in Chromium writes nothing any more. Chromium
 * alone keeps a shared worker (`extendedLifetime`). Only `vendor`, which the HTML standard fixes to one of three values,
 * tells it from the others everywhere: `userAgentData` is missing on insecure origins.
 */
const mayBeLost = (host: HostKind | undefined): boolean =>
  host !== "shared" || navigator.vendor !== "Google Inc." || documentText("visibilityState") === "hidden";

const CODES: Record<Command["type"], ErrorCode> = {
  track: 2016,
  updatePerson: 2017,
  appendToList: 2019,
  pageView: 2101,
  liveChat: 2101,
};
