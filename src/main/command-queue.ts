/**
 * The calls of this page load, in order. Those of one task travel together; each has its outcome in time. What was told
 * as failed is never stored: the host refuses a command past its deadline, which lies before the caller's time-out, and
 * what stands in the unload journal, where any page may find it, is told as failed by a host alone.
 */
import type { HostKind, Outcome } from "../protocol/api.js";
import { CALL_TIMEOUT_MS, COMMAND_DEADLINE_MS } from "../protocol/host.js";
import type { Command, LoadView, PageViewCommand, SentCommand, Shared } from "../protocol/host.js";
import { SECOND } from "../protocol/wire.js";
import type { HostConnection } from "./host-connection.js";
import { fail } from "./outcome.js";
import type { ErrorCode, Failure } from "./outcome.js";
import type { Settings } from "./tracking-options.js";
import { UnloadJournal } from "./unload-journal.js";
import type { Journaled, JournaledBatch } from "./unload-journal.js";

type Draft<Each> = Each extends Command ? Omit<Each, "n" | "at" | keyof Shared> : never;
export type CommandDraft = Draft<Command>;

interface Entry extends Journaled {
  resolve: (outcome: Outcome) => void;
}
/** The calls of one task. */
interface Batch extends JournaledBatch {
  entries: Entry[];
}

const SUCCESS: Outcome = { success: true, data: null };
/** A host that could not decide is asked again after this. */
const UNDECIDED_RETRY_MS = 5 * SECOND;

export class CommandQueue {
  /** The erase generation that the host told last. */
  generation = 0;
  host: HostKind | undefined;
  /** The page goes: it may end with any call, which is journaled inside the call itself. */
  isLeaving = false;
  readonly #connection: HostConnection;
  readonly #limits: Settings["limits"];
  readonly #onBatch: () => void;
  readonly #journal: UnloadJournal;
  #count = 0;
  /** The calls of the present task. */
  #entries: Entry[] = [];
  /** In the order of the calls. Sent, once `init()` has succeeded. */
  #undecided: Batch[] = [];
  #isOpen = false;

  get hasUndecided(): boolean {
    return this.#undecided.length > 0;
  }

  constructor(connection: HostConnection, { name, limits }: Settings, onBatch: () => void) {
    this.#connection = connection;
    this.#limits = limits;
    this.#onBatch = onBatch;
    this.#journal = new UnloadJournal(name, connection.pageId);
  }

  add(draft: CommandDraft): Promise<Outcome> {
    // Nobody waits for a Live Chat change: it has no deadline, and so no batch with those that have one.
    const isAlone = draft.type === "liveChat";
    if (isAlone) this.flush();
    return new Promise((resolve) => {
      const command = draft as SentCommand;
      command.at = Date.now();
      if (this.#entries.push({ command, resolve }) === 1) queueMicrotask(() => this.flush());
      if (isAlone || this.isLeaving) this.flush();
    });
  }

  /** Sends what the present task has asked for so far. */
  flush(): void {
    const entries = this.#entries;
    if (!entries.length) return;
    this.#entries = [];
    this.#onBatch();
    const batch = { entries };
    this.#undecided.push(batch);
    if (this.#isOpen) this.#send(batch);
    if (this.isLeaving || (this.#isOpen && mayBeLost(this.host))) this.#write();
  }

  /** Journals what no host has decided. */
  save(): void {
    this.flush();
    this.#write();
  }

  /** What was asked while the page was only prerendered happens now. */
  restamp(): void {
    this.flush();
    for (const { entries } of this.#undecided) {
      for (const { command } of entries) command.at = Date.now();
    }
  }

  /** A page view that another way than this one takes to the host. */
  numbered(draft: Omit<PageViewCommand, "n" | "at" | keyof Shared>, at: number): LoadView["command"] {
    return { ...draft, at, n: ++this.#count, ...this.#limits };
  }

  /** Sends what was held back, and from now on at once. */
  open(): void {
    this.flush();
    this.#isOpen = true;
    for (const batch of this.#undecided) this.#send(batch);
  }

  /** Answers all that was held back with one failure. */
  refuse(failure: Failure): void {
    this.flush();
    if (this.#isOpen) return;
    for (const { entries } of this.#undecided.splice(0)) {
      for (const { resolve, isJournaled } of entries) resolve(isJournaled ? SUCCESS : failure);
    }
  }

  /** What waits for `init()` only where the page goes: should that fail and the page live on, its callers are told so. */
  #write(): void {
    if (!this.#isOpen && !this.isLeaving) return;
    if (!this.#isOpen) for (const batch of this.#undecided) this.#stamp(batch);
    this.#journal.write(this.#undecided);
  }

  #stamp(batch: Batch): void {
    for (const { command } of batch.entries) command.n ??= ++this.#count;
    batch.shared = { generation: this.generation, ...this.#limits };
  }

  #send(batch: Batch): void {
    this.#stamp(batch);
    const { type, at } = batch.entries[0]!.command;
    if (type !== "liveChat") batch.shared!.deadline = at + COMMAND_DEADLINE_MS;
    void this.#submit(batch);
  }

  async #submit(batch: Batch): Promise<void> {
    const { entries, shared } = batch;
    const commands = entries.map(({ command }) => command);
    const refusals = await this.#connection.ask(
      "submit",
      [this.#connection.pageId, commands, shared!],
      shared!.deadline && Math.min(CALL_TIMEOUT_MS, commands[0]!.at + CALL_TIMEOUT_MS - Date.now()),
    );
    let next = 0;
    batch.entries = entries.filter(({ command, resolve, isJournaled }) => {
      const refusal = refusals?.[next]?.n === command.n ? refusals[next++] : undefined;
      if (isJournaled && (!refusals || refusal?.undecided)) {
        // It is on disk, for this host or the next to decide.
        delete shared!.deadline;
        resolve(SUCCESS);
        return true;
      }
      // A host that was left may yet store it: until the deadline nobody can tell that it failed.
      if (refusal?.undecided && this.#connection.hasLeft && Date.now() < shared!.deadline!) return true;
      if (!refusals) resolve(fail(CODES[command.type], "the tracker did not answer in time"));
      else resolve(refusal ? { success: false, error: refusal.error } : SUCCESS);
      return false;
    });
    if (batch.entries.length) {
      delete batch.text;
      setTimeout(() => void this.#submit(batch), UNDECIDED_RETRY_MS);
    } else {
      this.#undecided.splice(this.#undecided.indexOf(batch), 1);
      if (!this.#undecided.length) this.#journal.remove();
    }
  }
}

/**
 * Whether what was just posted may be lost with the page, and no `pagehide` tell of it: a hidden page, as phones end
 * them; a page that closes itself, which in WebKit runs no `pagehide` and in Chromium writes nothing any more. Chromium
 * alone keeps a shared worker (`extendedLifetime`). Only `vendor`, which the HTML standard fixes to one of three values,
 * tells it from the others everywhere: `userAgentData` is missing on insecure origins.
 */
const mayBeLost = (host: HostKind | undefined): boolean =>
  host !== "shared" || navigator.vendor !== "Google Inc." || document.visibilityState === "hidden";

const CODES: Record<Command["type"], ErrorCode> = {
  track: 2016,
  updatePerson: 2017,
  appendToList: 2019,
  pageView: 2101,
  liveChat: 2101,
};
