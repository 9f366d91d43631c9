/**
 * The calls of this page load, in order. Those of one task travel together; each has its outcome in time. What was told
 * as failed is never stored: the host refuses a command past its deadline, which lies before the caller's time-out.
 */
import type { Outcome } from "../protocol/api.js";
import type { ErrorCode } from "../protocol/errors.js";
import { CALL_TIMEOUT_MS, COMMAND_DEADLINE_MS } from "../protocol/host.js";
import type { Command } from "../protocol/host.js";
import type { HostConnection } from "./host-connection.js";
import { fail } from "./outcome.js";
import type { Failure } from "./outcome.js";

type Draft<Each> = Each extends Command ? Omit<Each, "n" | "at" | "generation" | "deadline"> : never;
export type CommandDraft = Draft<Command>;

interface Entry {
  command: Command;
  resolve: (outcome: Outcome) => void;
}

export class CommandQueue {
  /** The erase generation that the host told last. */
  generation = 0;
  readonly #connection: HostConnection;
  readonly #onBatch: () => void;
  #count = 0;
  /** The calls of the present task. */
  #batch: Entry[] = [];
  /** Batches held back until `init()` has succeeded; `null` from then on. */
  #held: Entry[][] | null = [];

  constructor(connection: HostConnection, onBatch: () => void) {
    this.#connection = connection;
    this.#onBatch = onBatch;
  }

  add(draft: CommandDraft): Promise<Outcome> {
    // Nobody waits for a Live Chat change: it has no deadline, and so no batch with those that have one.
    const isAlone = draft.type === "liveChat";
    if (isAlone) this.flush();
    return new Promise((resolve) => {
      const command = draft as Command;
      command.at = Date.now();
      if (this.#batch.push({ command, resolve }) === 1) queueMicrotask(() => this.flush());
      if (isAlone) this.flush();
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
    held?.forEach((batch) => void this.#submit(batch));
  }

  /** Answers all that was held back with one failure. */
  refuse(failure: Failure): void {
    for (const { resolve } of this.#takeHeld()) resolve(failure);
    if (this.#held) this.#held = [];
  }

  #takeHeld(): Entry[] {
    this.flush();
    return this.#held?.flat() ?? [];
  }

  async #submit(batch: Entry[]): Promise<void> {
    const commands = batch.map(({ command }) => {
      command.n = ++this.#count;
      command.generation = this.generation;
      if (command.type !== "liveChat") command.deadline = command.at + COMMAND_DEADLINE_MS;
      return command;
    });
    const { at, deadline } = commands[0]!;
    const answers = await this.#connection.ask(
      (host, pageId) => host.submit(pageId, commands),
      deadline && Math.min(CALL_TIMEOUT_MS, at + CALL_TIMEOUT_MS - Date.now()),
    );
    batch.forEach(({ command, resolve }, index) => {
      const answer = answers?.[index];
      if (!answer) resolve(fail(CODES[command.type], "the tracker did not answer in time"));
      else resolve(answer.error ? { success: false, error: answer.error } : { success: true, data: null });
    });
  }
}

const CODES: Record<Command["type"], ErrorCode> = {
  track: 2016,
  updatePerson: 2017,
  appendToList: 2019,
  pageView: 2101,
  liveChat: 2101,
};
