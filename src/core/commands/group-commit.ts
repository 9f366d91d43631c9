/**
 * Group commit: commands that arrive while a transaction runs go into the next one together. A page's commands keep
 * their order, even when one of them waits for fresh definitions.
 */
import type { TrackingError } from "../../protocol/api.js";
import type { Command, CommandAnswer, TrackCommand } from "../../protocol/host.js";
import type { Definitions } from "../definitions/definitions.js";
import type { Ports } from "../ports.js";
import type { TrackerRecord } from "../tracker-record.js";
import type { CommandGroup } from "./accept.js";
import { accept, commandError, readSetOf } from "./accept.js";
import { problemsOf } from "./check-command.js";

interface PendingGroup {
  group: CommandGroup;
  resolve: (answers: CommandAnswer[]) => void;
  reject: (error: unknown) => void;
}

/** What the host knows when a group is committed. */
interface Host {
  isOnline: () => boolean;
  /** Nobody sees a page of this host: it may be suspended at any time. */
  isInBackground: () => boolean;
  /** Takes the right to send what is accepted. */
  claim: (record: TrackerRecord, now: number) => TrackerRecord;
}

export class GroupCommit {
  readonly #ports: Pick<Ports, "clock" | "ids" | "store">;
  readonly #definitions: Definitions;
  readonly #host: Host;
  readonly #checking = new Map<string, Promise<void>>();
  #waiting: PendingGroup[] = [];
  #committing: Promise<void> | null = null;

  constructor(ports: Pick<Ports, "clock" | "ids" | "store">, definitions: Definitions, host: Host) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#host = host;
  }

  /** Resolves once what was submitted before is stored, but for what waits for fresh definitions. */
  async settled(): Promise<void> {
    await this.#committing;
  }

  /** Stores commands and returns the answer to each. Rejects if the store failed: nothing is stored then. */
  async submit(pageId: string, commands: readonly Command[]): Promise<CommandAnswer[]> {
    const invalid = problemsOf(commands);
    const doubtful = commands.filter(
      (command): command is TrackCommand =>
        command.type === "track" && !invalid.has(command.n) && !this.#definitions.allows(command),
    );
    const before = this.#checking.get(pageId);
    if (before || doubtful.length > 0) {
      const check = this.#check(doubtful, invalid, before);
      this.#checking.set(pageId, check);
      await check;
      if (this.#checking.get(pageId) === check) this.#checking.delete(pageId);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ group: { pageId, commands, invalid }, resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  /** Checks them all at once, for their answers come from one shared request. */
  async #check(
    doubtful: readonly TrackCommand[],
    invalid: Map<number, TrackingError>,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const checks = doubtful.map(async (command) => {
      const problem = await this.#definitions.problem(command, this.#host.isOnline());
      if (problem !== null) invalid.set(command.n, commandError(command, problem));
    });
    await Promise.all([before, ...checks]);
  }

  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      const groups = waiting.map(({ group }) => group);
      const { clock, ids, store } = this.#ports;
      try {
        const answers = await store.commit(readSetOf(groups), (snapshot) => {
          const now = clock.now();
          const { change, result } = accept(snapshot, groups, now, ids, !this.#host.isInBackground());
          return { change: { ...change, record: this.#host.claim(change.record, now) }, result };
        });
        waiting.forEach(({ resolve }, index) => resolve(answers[index] ?? []));
      } catch (error) {
        for (const { reject } of waiting) reject(error);
      }
    }
    this.#committing = null;
  }
}
