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
import { HOLD_MS, StreamPace } from "./stream-pace.js";

/** So many share a transaction already: it does not wait for more. */
const ENOUGH_GROUPS = 3;

type GroupCommitPorts = Pick<Ports, "clock" | "ids" | "store" | "timers">;

/** What a person waits for, or another party: it does not wait for the next calls of a stream. */
const isAwaited = ({ type }: Command): boolean => type !== "track" && type !== "pageView";

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
  readonly #ports: GroupCommitPorts;
  readonly #definitions: Definitions;
  readonly #host: Host;
  readonly #checking = new Map<string, Promise<void>>();
  #waiting: PendingGroup[] = [];
  #isCommitting = false;
  #lastSubmitted: Promise<unknown> = Promise.resolve();
  readonly #pace = new StreamPace();
  /** Ends the wait for more calls of a stream. */
  #endWait = (): void => undefined;

  constructor(ports: GroupCommitPorts, definitions: Definitions, host: Host) {
    this.#ports = ports;
    this.#definitions = definitions;
    this.#host = host;
  }

  /**
   * Stores at once what was submitted before, but for what waits for fresh definitions: what a page requests beside its
   * calls comes after them.
   */
  async settled(): Promise<void> {
    this.#endWait();
    await this.#lastSubmitted;
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
    this.#pace.called(this.#ports.clock.now());
    if (commands.some(isAwaited)) this.#endWait();
    const stored = new Promise<CommandAnswer[]>((resolve, reject) => {
      this.#waiting.push({ group: { pageId, commands, invalid }, resolve, reject });
      if (!this.#isCommitting) void this.#commitAll();
    });
    this.#lastSubmitted = stored.catch(() => undefined);
    return stored;
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
    this.#isCommitting = true;
    while (this.#waiting.length > 0) {
      await this.#waitForMore();
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
      this.#pace.answered(clock.now());
    }
    this.#isCommitting = false;
  }

  async #waitForMore(): Promise<void> {
    const { clock, timers } = this.#ports;
    const waiting = this.#waiting;
    const isUrgent = waiting.some(({ group }) => group.commands.some(isAwaited));
    if (
      isUrgent ||
      waiting.length >= ENOUGH_GROUPS ||
      this.#host.isInBackground() ||
      !this.#pace.waits(clock.now())
    )
      return;
    const before = waiting.length;
    await new Promise<void>((resolve) => {
      const cancel = timers.after(HOLD_MS, resolve);
      this.#endWait = () => {
        cancel();
        resolve();
      };
    });
    this.#endWait = () => undefined;
    this.#pace.waited(waiting.length - before);
  }
}
