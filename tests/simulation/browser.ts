/** One browser's origin: its store, its lock, its hosts and tabs, what its Live Chat knows, its clock and journals. */
import type { LiveChatSession } from "../../src/protocol/api.js";
import type { Command } from "../../src/protocol/host.js";
import { DAY, MINUTE, SECOND } from "../../src/protocol/wire.js";
import type { WriteSet, WireAnswer } from "../../src/core/ports.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { DueModel } from "./due-model.js";
import { SimulatedHost } from "./host.js";
import { hasLater } from "./later-version.js";
import { Ledger } from "./ledger.js";
import { LiveChat } from "./live-chat.js";
import { Sending } from "./sending.js";
import { SharedStore } from "./store.js";
import { Tab } from "./tab.js";
import type { World } from "./world.js";

export interface Journal {
  at: number;
  commands: readonly Command[];
}

/** So long a page takes in a journal, and hosts remember its numbers. */
const JOURNAL_LIFETIME_MS = 45 * DAY;

export class Browser {
  readonly world: World;
  readonly name: string;
  readonly store: SharedStore;
  readonly ledger: Ledger;
  readonly sending: Sending;
  readonly due: DueModel;
  readonly liveChat: LiveChat;
  readonly hosts = new Set<SimulatedHost>();
  readonly tabs = new Set<Tab>();
  /** As localStorage keeps them, by page. */
  readonly journals = new Map<string, Journal>();
  lockHolder: { host: SimulatedHost } | null = null;
  clockOffsetMs = 0;
  /** Counts what makes two senders, or a forgotten promise, nobody's fault: freezes, clocks that are set, erasing. */
  excuses = 0;
  offlineUntil = 0;
  /** What comes of compressed bodies on its way to the service; `null` where they pass. */
  compressedAnswer: WireAnswer | null = null;
  sendsPrivacyControl = false;
  /** Of the site's worker, for pages that open now. */
  version = 1;
  isAsleep = false;
  /** What users have chosen so far. */
  readonly choices = new Set<"in" | "out">();
  /** How often a user let go of what was rejected. */
  discards = 0;
  #made = 0;
  readonly #shared = new Map<string, SimulatedHost>();

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.store = new SharedStore(this);
    this.ledger = new Ledger(this);
    this.sending = new Sending(this);
    this.due = new DueModel(this);
    this.liveChat = new LiveChat(this);
  }

  wallClock(): number {
    return this.world.scheduler.now + this.clockOffsetMs;
  }

  excuse(): void {
    this.excuses += 1;
  }

  open(): Tab {
    const tab = new Tab(this, `${this.name}p${(++this.#made).toString(36)}`);
    this.tabs.add(tab);
    tab.open();
    return tab;
  }

  /** A host of its own, or the one that all tabs of its version share who left as many behind. */
  hostFor(tab: Tab): SimulatedHost {
    const name = `v${tab.version}:${tab.hostsLeft}`;
    const shared = this.world.plan.hosts === "shared" ? this.#shared.get(name) : undefined;
    const host = shared?.isAlive ? shared : this.#newHost(tab.version);
    if (this.world.plan.hosts === "shared") this.#shared.set(name, host);
    host.tabs.add(tab);
    return host;
  }

  /** A worker without tabs ends; Chromium lets it live on for a while. */
  letGo(host: SimulatedHost, tab: Tab): void {
    host.tabs.delete(tab);
    if (host.tabs.size > 0) return;
    const { scheduler } = this.world;
    // What is frozen is not ended before it thaws: then it still does what it was told.
    const livesOn = host.isFrozen ? 5 * MINUTE : scheduler.chance(0.3) ? scheduler.upTo(30 * SECOND) : 0;
    scheduler.after(livesOn, () => {
      if (host.tabs.size > 0) return;
      host.end();
      this.hosts.delete(host);
    });
  }

  setClock(byMs: number): void {
    this.clockOffsetMs += byMs;
    this.world.chronicle.fault(this.name, `clock: set ${byMs < 0 ? "back" : "forward"}`);
    this.ledger.clockWasSet = true;
    this.excuse();
  }

  sleepFor(ms: number): void {
    const { scheduler, chronicle } = this.world;
    chronicle.fault(this.name, "machine: asleep");
    this.excuse();
    const asleep = [...this.hosts, ...this.tabs];
    for (const actor of asleep) actor.freeze();
    this.isAsleep = true;
    scheduler.after(ms, () => {
      this.isAsleep = false;
      this.excuse();
      for (const actor of asleep) actor.thaw();
    });
  }

  writeJournal(pageId: string, commands: readonly Command[]): void {
    this.journals.set(pageId, { at: this.wallClock(), commands });
    this.ledger.journaled(pageId, commands);
  }

  /** The journals of other pages that are young enough to count. */
  journalsFor(pageId: string): [pageId: string, journal: Journal][] {
    const oldest = this.wallClock() - JOURNAL_LIFETIME_MS;
    for (const [owner, { at }] of this.journals) {
      if (at >= oldest) continue;
      this.journals.delete(owner);
      this.ledger.journalDropped(owner);
    }
    return [...this.journals].filter(([owner]) => owner !== pageId);
  }

  committed(host: SimulatedHost, before: TrackerRecord, change: WriteSet, after: TrackerRecord): void {
    if (change.erase) this.#erased(after.generation);
    this.#consentMayHaveChanged(before, after);
    const keepsLater = change.erase || !hasLater(before) || hasLater(after);
    this.world.chronicle.expect(keepsLater, host.name, () => "drops what a later version keeps");
    this.sending.committed(host, before.delivery, after.delivery);
    this.due.committed(host, change, after);
    this.ledger.committed(host, before, change, after);
  }

  /** A host in memory has written to the disk what must not be forgotten. */
  closed(host: SimulatedHost, before: TrackerRecord, change: WriteSet, after: TrackerRecord): void {
    if (change.erase) this.#erased(after.generation);
    if (change.erase) this.due.emptied();
    this.#consentMayHaveChanged(before, after);
    this.ledger.closed(host, before, change, after);
  }

  /** A host has given way: its pages hear of another one behind the same port. */
  retired(host: SimulatedHost): void {
    this.world.chronicle.count("retirements");
    this.sending.retired(host);
    this.hosts.delete(host);
    for (const tab of this.tabs) tab.hearOfRetirement(host);
  }

  committedInMemory(
    host: SimulatedHost,
    before: TrackerRecord,
    change: WriteSet,
    after: TrackerRecord,
  ): void {
    if (change.erase) this.#erased(after.generation);
    this.ledger.committedInMemory(host, before, change, after);
  }

  /** The person cleared the database, and all that the site keeps perhaps. */
  emptied(before: TrackerRecord): void {
    this.excuse();
    this.sending.consentChanged();
    this.due.emptied();
    this.ledger.emptied(before);
  }

  #erased(generation: number): void {
    this.excuse();
    this.journals.clear();
    for (const tab of this.tabs) tab.hearOfGeneration(generation);
  }

  #consentMayHaveChanged(before: TrackerRecord, after: TrackerRecord): void {
    if (after.consent === before.consent) return;
    this.sending.consentChanged();
    this.#checkConsent(before.consent, after.consent);
  }

  /** What somebody chose holds against Global Privacy Control, and only somebody's choice changes it. */
  #checkConsent(before: TrackerRecord["consent"], after: TrackerRecord["consent"]): void {
    const isLegal =
      after === "in" || after === "out" ? this.choices.has(after) : before !== "in" && before !== "out";
    this.world.chronicle.expect(isLegal, this.name, () => `the consent ${before} becomes ${after}`);
  }

  reading(): LiveChatSession | null {
    return this.liveChat.current;
  }

  #newHost(version: number): SimulatedHost {
    const host = new SimulatedHost(this, `${this.name}-host${++this.#made}`, version);
    this.hosts.add(host);
    return host;
  }
}
