/**
 * The calls of this page load, in order. Those of one task travel together; each has its outcome in time. What was told
 * as failed is never stored: the host refuses a command past its deadline, which lies before the caller's time-out.
 */
import type { Outcome } from "../protocol/api.js";
import { CALL_TIMEOUT_MS, COMMAND_DEADLINE_MS } from "../protocol/host.js";
import type { ErrorCode } from "../protocol/errors.js";
import type { Command, CommandAnswer } from "../protocol/host.js";
import type { HostConnection } from "./host-connection.js";
import { fail, succeed } from "./outcome.js";
import type { Failure } from "./outcome.js";

type Draft<Each = Command> = Each extends Command
  ? Omit<Each, "n" | "at" | "generation" | "deadline">
  : never;
export type CommandDraft = Draft;

interface Entry {
  command: Command;
  resolve(outcome: Outcome): void;
}

export class CommandQueue {
  readonly #connection: HostConnection;
  readonly #pageId: string;
  readonly #onBatch: () => void;
  #count = 0;
  /** The calls of the present task. */
  #batch: Entry[] = [];
  /** Batches held back until `init()` has succeeded; `undefined` from then on. */
  #held: Entry[][] | undefined = [];
  /** The erase generation that the host told last. */
  generation = 0;

  constructor(connection: HostConnection, pageId: string, onBatch: () => void) {
    this.#connection = connection;
    this.#pageId = pageId;
    this.#onBatch = onBatch;
  }

  /** @param at for what happened before this moment */
  add(draft: CommandDraft, at = Date.now()): Promise<Outcome> {
    // Nobody waits for a Live Chat change: it has no deadline, and so no batch with those that have one.
    if (draft.type === "liveChat") this.flush();
    return new Promise((resolve) => {
      const command = draft as Command;
      command.at = at;
      if (this.#batch.push({ command, resolve }) === 1) queueMicrotask(() => this.flush());
      if (draft.type === "liveChat") this.flush();
    });
  }

  /** Sends what the present task has asked for so far. */
  flush(): void {
    const batch = this.#batch;
    if (!batch.length) return;
    this.#batch = [];
    this.#onBatch();
    if (this.#held) this.#held.push(batch);
    else void this.#submit(batch);
  }

  /** Puts a command before all that is held back. */
  addFirst(draft: CommandDraft, at: number): Promise<Outcome> {
    return new Promise((resolve) => this.#held?.unshift([{ command: { ...draft, at } as Command, resolve }]));
  }

  /** Sends what was held back, and from now on at once. */
  release(): void {
    this.flush();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const batch of held) void this.#submit(batch);
  }

  /** Answers all that was held back with one failure. */
  refuse(failure: () => Failure): void {
    this.flush();
    for (const { resolve } of this.#held?.flat() ?? []) resolve(failure());
    this.#held = [];
  }

  /** What was held back while the page was only prerendered happens now. */
  restamp(at: number): void {
    this.flush();
    for (const { command } of this.#held?.flat() ?? []) command.at = at;
  }

  async #submit(batch: Entry[]): Promise<void> {
    const commands = batch.map(({ command }) => {
      command.n = ++this.#count;
      command.generation = this.generation;
      if (command.type !== "liveChat") command.deadline = command.at + COMMAND_DEADLINE_MS;
      return command;
    });
    const [{ at, type }] = commands as [Command];
    const answers = await this.#connection.ask(
      (host) => host.submit(this.#pageId, commands),
      type === "liveChat" ? {} : { limitMs: Math.min(CALL_TIMEOUT_MS, at + CALL_TIMEOUT_MS - Date.now()) },
    );
    batch.forEach(({ command, resolve }, index) => resolve(outcomeOf(command, answers?.[index])));
  }
}

const UNANSWERED = {
  track: [2016, "the tracker did not answer in time"],
  updatePerson: [2017, "the tracker did not answer in time"],
  appendToList: [2019, "the tracker did not answer in time"],
  pageView: [2101, "the page view is not stored"],
  liveChat: [2101, "the change is not stored"],
} satisfies Record<Command["type"], [ErrorCode, string]>;

const outcomeOf = ({ type }: Command, answer: CommandAnswer | undefined): Outcome => {
  if (!answer) return fail(...(UNANSWERED[type] as [ErrorCode, string]));
  return answer.error ? { success: false, error: answer.error } : succeed();
};
