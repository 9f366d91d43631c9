/** One browser's store and its tabs, driven through the decisions of the core: no transaction, no timer, no network. */
import type { CommandGroup } from "../../../src/core/commands/accept.js";
import { accept, readSetOf } from "../../../src/core/commands/accept.js";
import type { UnitOfWork } from "../../../src/core/record/unit-of-work.js";
import { writeSetOf, unitOfWorkOn, endDueSession } from "../../../src/core/record/unit-of-work.js";
import type { ProcessedCommands } from "../../../src/core/commands/processed-commands.js";
import type { WriteSet, Ids } from "../../../src/core/ports.js";
import { ensureProfile, liveChatTold, retirementKeys } from "../../../src/core/record/profile-selection.js";
import { emptyRecord, selectedProfile } from "../../../src/core/tracker-record.js";
import type { LiveChatSession, OutboxRow } from "../../../src/protocol/api.js";
import type {
  AppendToListCommand,
  Command,
  CommandAnswer,
  LiveChatCommand,
  PageViewCommand,
  TrackCommand,
  UpdatePersonCommand,
} from "../../../src/protocol/host.js";
import { SESSION_TIMEOUT_MS } from "../../../src/protocol/wire.js";

export const NOON = Date.parse("2026-03-01T12:00:00.000Z");

export const leadOf = (id: string, personId = `person-of-${id}`): LiveChatSession => ({
  id,
  kind: "lead",
  personId,
  token: `token-of-${id}`,
});
export const userOf = (id: string, personId = "user"): LiveChatSession => ({
  id,
  kind: "authenticated",
  personId,
  token: `user-token-of-${id}`,
});

type Given<Each extends Command> = Partial<Each> & { page?: string };
type GivenActivity<Each extends Command> = Omit<Partial<Each>, "page"> & { tab?: string };

export class TrackedBrowser {
  now = NOON;
  record = emptyRecord();
  /** What the outbox holds. */
  rows: OutboxRow[] = [];
  readonly retired = new Set<string>();
  readonly pages = new Map<string, ProcessedCommands>();
  readonly #lastNumbers = new Map<string, number>();
  #made = 0;
  readonly #ids: Ids = {
    uuid: () => `00000000-0000-4000-8000-${String(++this.#made).padStart(12, "0")}`,
    sessionId: () => `session${++this.#made}`,
  };

  get profile() {
    return selectedProfile(this.record);
  }

  /** The rows' ids, in order. */
  get ids(): string[] {
    return this.rows.map(({ id }) => id);
  }

  row(id: string): OutboxRow {
    const row = this.rows.find((row) => row.id === id);
    if (!row) throw new Error(`no row ${id} among ${this.ids.join(" ")}`);
    return row;
  }

  /** `sessionStarted`, `pageView`, … of the rows, with their times after noon in ms. */
  get story(): [event: string, at: number][] {
    return this.rows.map(({ type, operation, occurredAt }) => [
      type === "event" ? (operation as { definitionId: string }).definitionId : type,
      Date.parse(occurredAt) - NOON,
    ]);
  }

  wait(ms: number): void {
    this.now += ms;
  }

  track(given: GivenActivity<TrackCommand> = {}): CommandAnswer {
    const { tab, ...rest } = given;
    return this.#one(tab, { type: "track", eventId: "action", ...this.#limits(), ...rest });
  }

  pageView(given: Partial<PageViewCommand> & { tab?: string } = {}): CommandAnswer {
    const { tab, ...rest } = given;
    return this.#one(tab, { type: "pageView", ...this.#limits(), ...rest });
  }

  updatePerson(given: Given<UpdatePersonCommand> & { tab?: string } = {}): CommandAnswer {
    const { tab, ...rest } = given;
    return this.#one(tab, { type: "updatePerson", person: { firstName: "Semi" }, maxWaiting: 1e5, ...rest });
  }

  appendToList(given: Given<AppendToListCommand> & { tab?: string } = {}): CommandAnswer {
    const { tab, ...rest } = given;
    const list = { attribute: "category", item: { name: "special" }, maxWaiting: 1e5 };
    return this.#one(tab, { type: "appendToList", ...list, ...rest });
  }

  /** A tab's Live Chat tells of a session. */
  told(session: LiveChatSession, given: Partial<LiveChatCommand> & { tab?: string } = {}): CommandAnswer {
    const { tab, ...rest } = given;
    return this.#one(tab, { type: "liveChat", session, ...rest });
  }

  /** A tab's Live Chat tells that the session is over which that tab reported before. */
  left(left: string, given: Partial<LiveChatCommand> & { tab?: string } = {}): CommandAnswer {
    const { tab, ...rest } = given;
    return this.#one(tab, { type: "liveChat", session: null, left, ...rest });
  }

  /** A page load's first word, as `Tracker.init` decides it. */
  init(liveChat: LiveChatSession | null = null): void {
    this.#decide((work) => {
      const keys = liveChat ? retirementKeys(liveChat) : [];
      if (liveChat) liveChatTold(work, liveChat, this.now, this.#retiredAmong(keys));
      ensureProfile(work, this.now, this.#ids);
    });
  }

  /** The host's timer looks. */
  endDue(): void {
    this.#decide((work) => endDueSession(work));
  }

  /** As `Tracker.erase` decides it. */
  erase(): void {
    const { consent, generation, liveChat, nextSeq } = this.record;
    this.rows = [];
    this.pages.clear();
    this.record = { ...emptyRecord(), consent, nextSeq, generation: generation + 1 };
    this.#decide((work) => ensureProfile(work, this.now, this.#ids));
    if (liveChat) this.retired.add(liveChat.id);
  }

  setConsent(consent: "in" | "out"): void {
    this.record = { ...this.record, consent };
  }

  /** The command as a tab would send it now, numbered. */
  stamped<Given extends Omit<Command, "n" | "at" | "generation"> & Partial<Command>>(
    tab: string,
    given: Given,
  ): Command {
    const n = (this.#lastNumbers.get(tab) ?? 0) + 1;
    this.#lastNumbers.set(tab, n);
    return { n, at: this.now, generation: this.record.generation, ...given } as unknown as Command;
  }

  submit(pageId: string, commands: readonly Command[], invalid: CommandGroup["invalid"] = new Map()) {
    return this.submitGroups([{ pageId, commands, invalid }])[0] ?? [];
  }

  /** One transaction. It sees no more than it asked for. */
  submitGroups(groups: readonly CommandGroup[]): CommandAnswer[][] {
    const readSet = readSetOf(groups);
    const asked = new Set(readSet.pages);
    const snapshot = {
      record: deepFrozen(this.record),
      pages: new Map([...this.pages].filter(([id]) => asked.has(id))),
      retired: this.#retiredAmong(readSet.liveChat ?? []),
      waitingSeqs: [],
      rejected: [],
    };
    const { change, result } = accept(snapshot, groups, this.now, this.#ids);
    this.#write(change);
    return result;
  }

  #one(
    tab = "tab",
    given: Omit<Command, "n" | "at" | "generation"> & Partial<Command> & object,
  ): CommandAnswer {
    return this.submit(tab, [this.stamped(tab, given)])[0] as CommandAnswer;
  }

  #limits() {
    return { sessionTimeoutMs: SESSION_TIMEOUT_MS, maxWaiting: 1e5 };
  }

  #retiredAmong(keys: readonly string[]): ReadonlySet<string> {
    return new Set(keys.filter((key) => this.retired.has(key)));
  }

  #decide(change: (work: UnitOfWork) => void): void {
    const work = unitOfWorkOn(deepFrozen(this.record), this.now);
    change(work);
    this.#write(writeSetOf(work));
  }

  #write({ record, pages = [], retire = [], put = [] }: WriteSet): void {
    if (record) this.record = record;
    for (const processed of pages) this.pages.set(processed.pageId, deepFrozen(processed));
    for (const key of retire) this.retired.add(key);
    this.rows.push(...put);
  }
}

/** The core changes nothing in place. */
const deepFrozen = <Value>(value: Value): Value => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFrozen);
  }
  return value;
};
