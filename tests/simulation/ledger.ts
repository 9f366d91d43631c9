/**
 * What one origin's tabs called, were told and what its store accepted; each commit is held against it. A row is new
 * once, leaves when the service has it, is rejected when the service said so, and is refused for a known reason only.
 */
import type { OutboxRow } from "../../src/protocol/api.js";
import type { Command, CommandAnswer } from "../../src/protocol/host.js";
import type { Change } from "../../src/core/ports.js";
import { profileKey } from "../../src/core/registrar.js";
import { isOptedOut } from "../../src/core/tracker-record.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import type { Browser } from "./browser.js";
import { isBad } from "./calls.js";
import { SelectionModel } from "./selection-model.js";
import { SessionModel } from "./session-model.js";

export type Fate = "waiting" | "gone" | "rejected" | "discarded" | "erased";
export interface Accepted {
  row: OutboxRow;
  fate: Fate;
  wasRejected: boolean;
}

/** So many of a page are remembered; an earlier one that is asked again is told as decided. */
const REFUSALS_KEPT = 100;
const REFUSALS =
  /erased in the meantime|tracking is opted out|outbox is full|only a lead|too late|not an id|eventId|no event is defined with the id unknown/;

export class Ledger {
  readonly accepted = new Map<string, Accepted>();
  readonly sessions: SessionModel;
  readonly selection: SelectionModel;
  /** A clock was set: what depends on the same clock at the call and later is no longer expected. */
  clockWasSet = false;
  readonly #browser: Browser;
  readonly #commands = new Map<string, Command>();
  readonly #told = new Map<string, "stored" | "refused" | "failed">();
  readonly #withAnother = new Set<string>();
  /** Pages with more refusals than are remembered. */
  readonly #forgetful = new Set<string>();
  readonly #journaled = new Set<string>();
  readonly #rows = new Map<number, Accepted>();
  #wasErased = false;
  readonly #lanes = new Map<string, { waiting: number; rejected: number }>();

  constructor(browser: Browser) {
    this.#browser = browser;
    this.sessions = new SessionModel(browser);
    this.selection = new SelectionModel(browser);
  }

  // --- what tabs did and heard ---

  called(pageId: string, command: Command): void {
    this.#commands.set(`${pageId}-${command.n}`, command);
    this.#browser.world.chronicle.count("calls");
  }

  answered(pageId: string, answers: readonly CommandAnswer[]): void {
    for (const { n, error } of answers) {
      const id = `${pageId}-${n}`;
      this.#told.set(id, error ? "refused" : "stored");
      this.#browser.world.chronicle.count(error ? "calls refused" : "calls stored");
      this.#expect(!error || REFUSALS.test(error.message), () => `refused for ${error?.message}`);
      const isErased = error?.message.includes("erased") === true;
      this.#expect(!isErased || this.#wasErased, () => `${id} is refused as erased, and nothing was`);
      this.#expect(
        !error || (this.accepted.get(id)?.fate ?? "erased") === "erased",
        () => `${id} is stored and told as refused`,
      );
      const isRow = this.#commands.get(id)?.type !== "liveChat";
      if (error || !isRow || this.accepted.has(id)) continue;
      this.#expect(this.#forgetful.has(pageId), () => `${id} is told as stored and is not`);
    }
  }

  /**
   * No answer in time, or the store failed.
   *
   * @param isWithAnother A host that was left behind has it too, and may thaw before the deadline: a known limit.
   */
  failed(pageId: string, command: Command, isWithAnother: boolean): void {
    const id = `${pageId}-${command.n}`;
    this.#told.set(id, "failed");
    if (isWithAnother) this.#withAnother.add(id);
    // The host died before its answer came: that cannot be known in time.
    this.#browser.world.chronicle.count(
      this.accepted.has(id) ? "calls told as failed, though stored" : "calls failed",
    );
  }

  journaled(pageId: string, commands: readonly Command[]): void {
    for (const { n } of commands) this.#journaled.add(`${pageId}-${n}`);
    this.#browser.world.chronicle.count("calls journaled", commands.length);
  }

  journalDropped(pageId: string): void {
    for (const id of this.#journaled) if (id.startsWith(`${pageId}-`)) this.#journaled.delete(id);
  }

  // --- what the store accepted ---

  committed(host: string, before: TrackerRecord, change: Change, after: TrackerRecord): void {
    if (change.erase) this.#erase(before, after);
    const fresh: OutboxRow[] = [];
    for (const row of change.put ?? []) {
      const known = this.#rows.get(row.seq);
      if (known) this.#moved(known, row);
      else {
        this.#new(before, before.nextSeq + fresh.length, row);
        fresh.push(row);
      }
    }
    for (const { pageId, refused } of change.pages ?? []) {
      if (refused.length >= REFUSALS_KEPT) this.#forgetful.add(pageId);
    }
    for (const seq of change.remove ?? []) this.#removed(seq);
    if (change.record) this.#checkCounters(after);
    if (after.nextSeq !== before.nextSeq + fresh.length) this.#expect(false, () => "numbers without rows");
    if (change.record) {
      this.selection.committed(before, change, after);
      this.sessions.committed(before, change, after, fresh, (id) => this.#commands.get(id));
    }
    if (fresh.length > 0) {
      this.#browser.world.chronicle.count("operations", fresh.length);
      this.#browser.world.chronicle.tell(
        host,
        `accepts ${fresh.map(({ seq, id }) => `${seq}:${id}`).join(" ")}`,
      );
    }
  }

  #new(before: TrackerRecord, seq: number, row: OutboxRow): void {
    const { id, profile } = row;
    this.#expect(row.seq === seq, () => `${id} has number ${row.seq} instead of ${seq}`);
    this.#expect(!this.accepted.has(id), () => `${id} is accepted twice`);
    const accepted = { row, fate: "waiting", wasRejected: false } as const;
    this.accepted.set(id, { ...accepted });
    this.#rows.set(seq, this.accepted.get(id)!);
    this.#lane(profileKey(profile)).waiting += 1;
    if (/^[sem]-/.test(id)) return;
    const command = this.#commands.get(id);
    this.#expect(command !== undefined, () => `nobody called ${id}`);
    this.#expect(!isOptedOut(before), () => `${id} is accepted though opted out`);
    this.#expect(
      (command?.generation ?? 0) >= before.generation,
      () => `${id} was called before the erasing`,
    );
    const told = this.#told.get(id);
    if (told === "failed" && this.#withAnother.has(id)) {
      return this.#browser.world.chronicle.count("calls told as failed, then stored by a host left behind");
    }
    this.#expect(
      told === undefined || this.clockWasSet,
      () => `${id} is accepted after it was told as ${told}`,
    );
  }

  #moved(known: Accepted, row: OutboxRow): void {
    const { world } = this.#browser;
    const { id } = row;
    const lane = this.#lane(profileKey(row.profile));
    if (row.state === "rejected") {
      this.#expect(known.fate === "waiting", () => `${id} is rejected though ${known.fate}`);
      this.#expect(world.service.refusals.has(id), () => `${id} is rejected, and the service never did`);
      this.#expect(row.error !== undefined, () => `${id} is rejected without a reason`);
      known.fate = "rejected";
      known.wasRejected = true;
      lane.waiting -= 1;
      lane.rejected += 1;
    } else {
      this.#expect(known.fate === "rejected", () => `${id} waits again though ${known.fate}`);
      known.fate = "waiting";
      lane.waiting += 1;
      lane.rejected -= 1;
    }
  }

  #removed(seq: number): void {
    const known = this.#rows.get(seq);
    if (!known) return this.#expect(false, () => `row ${seq} is removed and was not there`);
    const { id, profile } = known.row;
    const lane = this.#lane(profileKey(profile));
    this.#rows.delete(seq);
    if (known.fate === "rejected") {
      this.#expect(this.#browser.discards > 0, () => `the rejected ${id} is dropped`);
      known.fate = "discarded";
      lane.rejected -= 1;
    } else {
      this.#expect(
        this.#browser.world.service.appliedIds.has(id),
        () => `${id} leaves the outbox unacknowledged`,
      );
      known.fate = "gone";
      lane.waiting -= 1;
    }
  }

  #erase(before: TrackerRecord, after: TrackerRecord): void {
    this.#wasErased = true;
    for (const accepted of this.#rows.values()) accepted.fate = "erased";
    // What was delivered is the service's; here nothing is known of it any more.
    for (const accepted of this.accepted.values()) {
      if (accepted.fate === "gone" || accepted.fate === "discarded") accepted.fate = "erased";
    }
    this.#rows.clear();
    this.#lanes.clear();
    this.#journaled.clear();
    this.sessions.erased();
    this.#expect(after.generation === before.generation + 1, () => "erasing raises no generation");
    this.#expect(after.consent === before.consent, () => "erasing forgets the consent");
  }

  #checkCounters(after: TrackerRecord): void {
    let counted = 0;
    for (const { profile, waiting, rejected } of after.lanes) {
      const lane = this.#lanes.get(profileKey(profile));
      counted += waiting + rejected;
      this.#expect(
        waiting === (lane?.waiting ?? 0) && rejected === (lane?.rejected ?? 0),
        () => `the counters of ${profileKey(profile)} are wrong`,
      );
    }
    this.#expect(counted === this.#rows.size, () => "a profile with rows has no lane");
  }

  // --- the end ---

  get waiting(): number {
    let count = 0;
    for (const { fate } of this.#rows.values()) if (fate === "waiting") count += 1;
    return count;
  }

  /** How many of these no service will take. */
  get hopeless(): number {
    let count = 0;
    for (const { row, fate } of this.#rows.values()) {
      const command = this.#commands.get(row.id);
      if (fate === "waiting" && command && isBad(command)) count += 1;
    }
    return count;
  }

  /** Every journaled call was decided by a host, for what its page was told depends on it. */
  checkJournals(): void {
    for (const id of this.#journaled) {
      this.#expect(
        this.#told.has(id) || this.accepted.has(id),
        () => `the journaled ${id} was never decided`,
      );
    }
  }

  command(id: string): Command | undefined {
    return this.#commands.get(id);
  }

  #lane(key: string): { waiting: number; rejected: number } {
    const lane = this.#lanes.get(key) ?? { waiting: 0, rejected: 0 };
    this.#lanes.set(key, lane);
    return lane;
  }

  #expect(holds: boolean, what: () => string): void {
    this.#browser.world.chronicle.expect(holds, this.#browser.name, what);
  }
}
