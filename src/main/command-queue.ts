/**
 * The calls of this page load, in order. Those of one task travel together; each has its outcome in time. What was told
 * as failed is never stored: the host refuses a command past its deadline, which lies before the caller's time-out, and
 * what stands in the unload journal, where any page may find it, is told as failed by a host alone.
 */
import type { HostKind, Outcome } from "../protocol/api.js";
import type { ErrorCode } from "../protocol/errors.js";
import { CALL_TIMEOUT_MS, COMMAND_DEADLINE_MS } from "../protocol/host.js";
import type { Command } from "../protocol/host.js";
import { SECOND } from "../protocol/wire.js";
import type { HostConnection } from "./host-connection.js";
import { fail } from "./outcome.js";
import type { Failure } from "./outcome.js";
import { UnloadJournal } from "./unload-journal.js";
import type { Journaled } from "./unload-journal.js";

type Draft<Each> = Each extends Command ? Omit<Each, "n" | "at" | "generation" | "deadline"> : never;
export type CommandDraft = Draft<Command>;

interface Entry extends Journaled {
  resolve: (outcome: Outcome) => void;
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
  readonly #onBatch: () => void;
  readonly #journal: UnloadJournal;
  #count = 0;
  /** The calls of the present task. */
  #batch: Entry[] = [];
  /** Batches held back until `init()` has succeeded; `null` from then on. */
  #held: Entry[][] | null = [];
  /** Sent and not decided, in that order. */
  readonly #undecided = new Set<Entry>();

  get hasUndecided(): boolean {
    return this.#undecided.size > 0;
  }

  constructor(connection: HostConnection, name: string, onBatch: () => void) {
    this.#connection = connection;
    this.#onBatch = onBatch;
    this.#journal = new UnloadJournal(name, connection.pageId);
  }

  add(draft: CommandDraft): Promise<Outcome> {
    // Nobody waits for a Live Chat change: it has no deadline, and so no batch with those that have one.
    const isAlone = draft.type === "liveChat";
    if (isAlone) this.flush();
    return new Promise((resolve) => {
      const command = draft as Command;
      command.at = Date.now();
      if (this.#batch.push({ command, resolve }) === 1) queueMicrotask(() => this.flush());
      if (isAlone || this.isLeaving) this.flush();
    });
  }

  /** Sends what the present task has asked for so far. */
  flush(): void {
    const batch = this.#batch;
    if (!batch.length) return;
    this.#batch = [];
    this.#onBatch();
    if (this.#held) this.#held.push(batch);
    else this.#send(batch);
    if (this.isLeaving || (!this.#held && mayBeLost(this.host))) this.#write();
  }

  /**
   * Journals what no host has decided. What waits for `init()` only where the page goes: should that fail while the page
   * lives on, its callers must be told so.
   */
  save(): void {
    this.flush();
    this.#write();
  }

  /** What was held back while the page was only prerendered happens now. */
  restamp(): void {
    for (const { command } of this.#takeHeld()) command.at = Date.now();
  }

  /** Puts a command before all that is held back. */
  addFirst(draft: CommandDraft, at: number): Promise<Outcome> {
    return new Promise((resolve) => this.#held?.unshift([{ command: { ...draft, at } as Command, resolve }]));
  }

  /** Sends what was held back, and from now on at once. */
  release(): void {
    this.flush();
    const held = this.#held;
    this.#held = null;
    held?.forEach((batch) => this.#send(batch));
  }

  /** Answers all that was held back with one failure. */
  refuse(failure: Failure): void {
    for (const { resolve, isJournaled } of this.#takeHeld()) resolve(isJournaled ? SUCCESS : failure);
    if (this.#held) this.#held = [];
  }

  #write(): void {
    const held = (this.isLeaving && this.#held?.flat()) || [];
    for (const { command } of held) this.#stamp(command);
    this.#journal.write([...this.#undecided, ...held]);
  }

  #takeHeld(): Entry[] {
    this.flush();
    return this.#held?.flat() ?? [];
  }

  #stamp(command: Command): void {
    command.n ??= ++this.#count;
    command.generation = this.generation;
  }

  #send(batch: Entry[]): void {
    for (const entry of batch) {
      const { command } = entry;
      this.#undecided.add(entry);
      this.#stamp(command);
      if (command.type !== "liveChat") command.deadline = command.at + COMMAND_DEADLINE_MS;
    }
    void this.#submit(batch);
  }

  async #submit(batch: Entry[]): Promise<void> {
    const commands = batch.map(({ command }) => command);
    const { at, deadline } = commands[0]!;
    const answers = await this.#connection.ask(
      (host, pageId) => host.submit(pageId, commands),
      deadline && Math.min(CALL_TIMEOUT_MS, at + CALL_TIMEOUT_MS - Date.now()),
    );
    const again = batch.filter((entry, index) => {
      const { command, resolve, isJournaled } = entry;
      const answer = answers?.[index];
      if (isJournaled && (!answer || answer.undecided)) {
        // It is on disk, for this host or the next to decide.
        delete command.deadline;
        resolve(SUCCESS);
        return true;
      }
      this.#undecided.delete(entry);
      if (!answer) resolve(fail(CODES[command.type], "the tracker did not answer in time"));
      else resolve(answer.error ? { success: false, error: answer.error } : SUCCESS);
      return false;
    });
    if (!this.#undecided.size) this.#journal.remove();
    if (again.length) setTimeout(() => void this.#submit(again), UNDECIDED_RETRY_MS);
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
