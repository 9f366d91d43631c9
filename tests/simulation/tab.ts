/**
 * A page with the facade, in small: it numbers its calls, holds them until `init` has succeeded, sends again what no
 * host answered, leaves a silent host behind, tells a call's failure in time, and journals what is open when it goes.
 */
import type { LiveChatSession } from "../../src/protocol/api.js";
import type { Command, LoadView, PageSignal } from "../../src/protocol/host.js";
import { CALL_TIMEOUT_MS, COMMAND_DEADLINE_MS } from "../../src/protocol/host.js";
import { SECOND } from "../../src/protocol/wire.js";
import type { Tracker } from "../../src/core/tracker.js";
import { Actor } from "./actor.js";
import type { Draft } from "./calls.js";
import { pageView } from "./calls.js";
import type { Attachment, SimulatedHost } from "./host.js";
import { HostLink } from "./host-link.js";
import type { Hosts } from "./hosts.js";
import type { Journals } from "./journals.js";
import type { OutboxModel } from "./outbox-model.js";
import type { LiveChat } from "./live-chat.js";
import type { Origin } from "./origin.js";

interface Entry {
  command: Command;
  isJournaled: boolean;
}

const UNDECIDED_RETRY_MS = 5 * SECOND;

const waitingIn = async (tracker: Tracker): Promise<number> => (await tracker.state()).state.outbox.waiting;

/** What a tab finds around it in its browser. */
interface Surroundings {
  origin: Origin;
  outbox: OutboxModel;
  hosts: Hosts;
  journals: Journals;
  liveChat: LiveChat;
}

export class Tab extends Actor {
  /** Of the site's worker that this page knows. */
  readonly version: number;
  /** In the back-forward cache. */
  isCached = false;
  readonly #around: Surroundings;
  readonly #onClosed: () => void;
  readonly #link: HostLink;
  #state: "new" | "starting" | "tracking" = "new";
  #generation = 0;
  #count = 0;
  #held: Entry[][] | null = [];
  readonly #undecided = new Set<Entry>();
  /** Of the page load. */
  #view: LoadView | "recorded" | undefined;
  #reported: LiveChatSession | null = null;
  #lastSession: string | undefined;

  constructor(pageId: string, around: Surroundings, onClosed: () => void) {
    const { origin, hosts } = around;
    super(origin.environment.scheduler, pageId);
    this.#around = around;
    this.#onClosed = onClosed;
    this.version = origin.version;
    this.#link = new HostLink(this, origin, hosts);
  }

  get hostsAbandoned(): number {
    return this.#link.hostsAbandoned;
  }

  get hasHost(): boolean {
    return this.#link.hasHost;
  }

  get isTracking(): boolean {
    return this.#state === "tracking";
  }

  /** `init()`, once more where it failed before. */
  open(): void {
    if (this.#state !== "new") return;
    this.#state = "starting";
    this.#held ??= [];
    const at = this.#around.origin.wallClock();
    // Live Chat may not have read its session yet.
    const liveChat = this.scheduler.chance(0.1) ? null : this.#around.liveChat.current;
    this.#reported = liveChat;
    this.#lastSession = liveChat?.id;
    if (this.#view !== "recorded") this.#view ??= this.#firstView(at);
    const view = this.#view === "recorded" ? undefined : this.#view;
    this.#link.init({ at, liveChat, view }, (answer) => this.#started(answer), CALL_TIMEOUT_MS);
  }

  #firstView(at: number): LoadView {
    const n = ++this.#count;
    const command = { ...pageView(this.#around.origin.environment.plan), at, n };
    // An erase after it stands against it, by the time.
    this.#around.outbox.called(this.name, { ...command, generation: Infinity });
    return { pageId: this.name, command };
  }

  #started(attachment: Attachment | undefined): void {
    const init = attachment?.init;
    if (!attachment || !init?.success) {
      this.#around.origin.environment.chronicle.tell(this.name, "init failed");
      // Whoever called meanwhile is told so: nothing of it was ever sent. What is journaled goes with the next start.
      const journaled = (this.#held ?? []).flat().filter(({ isJournaled }) => isJournaled);
      this.#state = "new";
      this.#held = journaled.length > 0 ? [journaled] : null;
      return;
    }
    this.#state = "tracking";
    this.#generation = Math.max(this.#generation, attachment.generation);
    const { rereadLiveChat, view } = init;
    if (rereadLiveChat !== undefined) this.after(SECOND, () => this.#reread(rereadLiveChat));
    if (view && !view.undecided) this.#around.outbox.answered(this.name, [view]);
    this.#view = view && !view.error ? "recorded" : undefined;
    const held = this.#held ?? [];
    this.#held = null;
    for (const batch of held) this.#send(batch);
    this.after(this.scheduler.upTo(SECOND), () => this.takeInJournals());
  }

  /** Calls of one task. */
  call(drafts: readonly Draft[]): void {
    if (this.#state === "new") return;
    const batch = drafts.map((draft) => this.#entry(draft, this.#around.origin.wallClock()));
    if (this.#held) this.#held.push(batch);
    else this.#send(batch);
    if (this.#around.origin.environment.plan.journalsEachBatch && !this.#held)
      this.#journal([...this.#undecided]);
  }

  hearOfGeneration(generation: number): void {
    this.after(this.scheduler.upTo(2 * SECOND), () => {
      this.#generation = Math.max(this.#generation, generation);
    });
  }

  hearOfRetirement(host: SimulatedHost): void {
    this.after(this.scheduler.upTo(5), () => this.#link.meetAnother(host));
  }

  // --- Live Chat ---

  readLiveChat(): void {
    if (this.#state !== "tracking") return;
    const session = this.#around.liveChat.current;
    if (JSON.stringify(session) === JSON.stringify(this.#reported)) return;
    this.#reported = session;
    if (session) this.#lastSession = session.id;
    this.#report(session, session ? undefined : this.#lastSession);
  }

  /** What this tab said before, once more. */
  repeatLiveChat(): void {
    if (this.#state !== "tracking" || this.#lastSession === undefined) return;
    this.#report(this.#reported, this.#reported ? undefined : this.#lastSession);
  }

  #reread(left: string): void {
    if (this.#around.liveChat.current === null && !this.#reported) this.#report(null, left);
    else this.readLiveChat();
  }

  #report(session: LiveChatSession | null, left: string | undefined): void {
    this.call([{ type: "liveChat", session, ...(left !== undefined && { left }) }]);
  }

  // --- what users and browsers do beside calls ---

  ask(what: string, work: (tracker: Tracker, host: SimulatedHost) => Promise<unknown>): void {
    if (this.#state !== "tracking") return;
    this.#around.origin.environment.chronicle.tell(this.name, what);
    this.#link.ask(work, () => undefined, CALL_TIMEOUT_MS);
  }

  /** What it answers has at least what this page's host accepted before and what waits still. */
  flush(): void {
    this.#countWaiting("flushes", (tracker) => tracker.flush(5 * SECOND));
  }

  lookAtWaiting(): void {
    this.#countWaiting("looks at what waits", waitingIn);
  }

  #countWaiting(what: string, count: (tracker: Tracker) => Promise<number>): void {
    const { outbox } = this.#around;
    this.ask(what, async (tracker, host) => {
      const check = outbox.countFrom(host);
      check(await count(tracker));
    });
  }

  choose(consent: "in" | "out"): void {
    this.#around.origin.choices.add(consent);
    this.ask(`opts ${consent}`, (tracker) => tracker.setConsent(consent));
  }

  signal(signal: PageSignal): void {
    this.ask(signal, (tracker) => tracker.signal(signal));
  }

  /** The page goes, and journals what is open; without a word it does not. */
  close(how: "closes" | "crashes"): void {
    this.#around.origin.environment.chronicle.tell(this.name, how);
    if (how === "crashes") this.#around.origin.environment.chronicle.fault(this.name, "tab: crashes");
    else if (this.#state !== "new") this.#journal([...this.#undecided, ...(this.#held?.flat() ?? [])]);
    this.die();
    this.#link.hangUp();
    this.#onClosed();
  }

  /** The page goes into the back-forward cache, and comes back, which is a page view. */
  cacheFor(ms: number): void {
    this.#around.origin.environment.chronicle.fault(this.name, "tab: in the back-forward cache");
    if (this.#state !== "new") this.#journal([...this.#undecided, ...(this.#held?.flat() ?? [])]);
    this.isCached = true;
    this.#link.detach();
    this.freeze();
    this.scheduler.after(ms, () => {
      this.isCached = false;
      this.thaw();
      if (!this.isAlive) return;
      this.#around.origin.environment.chronicle.tell(this.name, "comes back");
      this.#link.reattach();
      if (this.#state === "tracking") this.call([pageView(this.#around.origin.environment.plan)]);
    });
  }

  takeInJournals(): void {
    const { journals, outbox } = this.#around;
    for (const [pageId, journal] of journals.ofOthersThan(this.name)) {
      this.#around.origin.environment.chronicle.tell(
        this.name,
        `takes in ${journal.commands.length} of ${pageId}`,
      );
      this.#link.ask(
        (tracker) => tracker.submit(pageId, journal.commands),
        (answers) => {
          if (!answers || answers.some(({ undecided }) => undecided)) return;
          outbox.answered(pageId, answers);
          journals.remove(pageId, journal);
        },
        CALL_TIMEOUT_MS,
      );
    }
  }

  // --- calls on their way ---

  #entry(draft: Draft, at: number): Entry {
    return { command: { ...draft, at, n: 0, generation: 0 }, isJournaled: false };
  }

  #stamp({ command }: Entry): void {
    if (command.n === 0) {
      command.n = ++this.#count;
      command.generation = this.#generation;
      this.#around.outbox.called(this.name, command);
    }
  }

  #send(batch: Entry[]): void {
    for (const entry of batch) {
      this.#undecided.add(entry);
      this.#stamp(entry);
      const { command } = entry;
      if (command.type !== "liveChat") command.deadline = command.at + COMMAND_DEADLINE_MS;
    }
    this.#submit(batch);
  }

  #submit(batch: readonly Entry[]): void {
    // What travels is a copy: what is changed here later does not reach the host.
    const commands = batch.map(({ command }) => ({ ...command }));
    const { at, deadline } = commands[0]!;
    const elapsed = Math.min(CALL_TIMEOUT_MS, Math.max(0, this.#around.origin.wallClock() - at));
    this.#link.ask(
      (tracker) => tracker.submit(this.name, commands),
      (answers) => this.#answered(batch, answers),
      deadline === undefined ? undefined : CALL_TIMEOUT_MS - elapsed,
    );
  }

  #answered(batch: readonly Entry[], answers: Awaited<ReturnType<Tracker["submit"]>> | undefined): void {
    const { outbox } = this.#around;
    const again = batch.filter((entry, index) => {
      const answer = answers?.[index];
      if (entry.isJournaled && (!answer || answer.undecided)) {
        // It is on disk, for this host or the next to decide.
        delete entry.command.deadline;
        return true;
      }
      this.#undecided.delete(entry);
      if (answer && !answer.undecided) outbox.answered(this.name, [answer]);
      else outbox.failed(this.name, entry.command, answer?.undecided === true && this.hostsAbandoned > 0);
      return false;
    });
    if (this.#undecided.size === 0) this.#around.journals.remove(this.name);
    if (again.length > 0) this.after(UNDECIDED_RETRY_MS, () => this.#submit(again));
  }

  #journal(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) {
      this.#stamp(entry);
      entry.isJournaled = true;
    }
    const commands = entries.map(({ command: { deadline: _, ...command } }) => command);
    this.#around.journals.write(this.name, commands);
  }
}
