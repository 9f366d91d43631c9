/**
 * What one origin's tabs called, were told and what its store accepted; each commit is held against it. A row is new
 * once, leaves when the service has it, is rejected when the service said so, and is refused for a known reason only.
 *
 * A host that fails over accepts in memory. It delivers that itself, or it dies with its host; it retires when nothing
 * waits there, and then the disk has what must not be forgotten: what somebody decided, what was rejected, an end for each
 * session. What the person cleared, or another host erased, does not come back.
 *
 * One long file, for each of these rules reads the same copies of the same rows.
 */
import type { OutboxRow, Profile } from "../../src/protocol/api.js";
import type { Command, CommandAnswer } from "../../src/protocol/host.js";
import type { WriteSet, WireRequest } from "../../src/core/ports.js";
import { isOptedOut, selectedProfile } from "../../src/core/tracker-record.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { isProcessed } from "../../src/core/commands/processed-commands.js";
import { planOf } from "../../src/core/delivery/plan.js";
import { profileKey } from "../../src/core/delivery/registrar.js";
import type { BatchRequest, ProfileMergeOperation } from "../../src/protocol/wire.js";
import { DAY } from "../../src/protocol/wire.js";
import type { Actor } from "./actor.js";
import { isBad } from "./calls.js";
import type { Disk } from "./disk.js";
import type { Origin } from "./origin.js";
import type { Accepted, Fate } from "./place.js";
import { Memory, Place } from "./place.js";
import { SelectionModel } from "./selection-model.js";
import { SessionModel } from "./session-model.js";

/** So many of a page are remembered; an earlier one that is asked again is told as decided. */
const REFUSALS_KEPT = 100;
const numberOf = (id: string): number => Number(id.slice(id.lastIndexOf("-") + 1));
/** An end that old is not made: the service would refuse it. */
const OLDEST_END_MS = 28 * DAY;
const REFUSALS =
  /erased in the meantime|tracking is opted out|outbox is full|only a lead|too late|not an id|eventId|no event is defined with the id unknown/;

/** Made by the tracker, under an id that even two hosts give alike: of these there may be two rows. */
const isOfTracker = (id: string): boolean => /^[sem]-/.test(id);
const pageOf = (id: string): string => id.slice(0, id.lastIndexOf("-"));
const mergeOf = (visitorId: string): string => `m-${visitorId.replaceAll("-", "")}`;
/** What left the outbox for good. */
const DONE = new Set<Fate>(["gone", "discarded", "dropped"]);
/** What is no more where it was, and may be there or elsewhere again. */
const isPast = ({ fate }: Accepted): boolean => fate === "cleared" || fate === "died" || fate === "moved";

export class OutboxModel {
  /** Every row that was ever accepted, by its id, in each place. */
  readonly accepted = new Map<string, Accepted[]>();
  readonly disk: Place;
  /** In the order in which the disk took them. */
  readonly onDisk: Accepted[] = [];
  readonly memories: Memory[] = [];
  /** Sent by a host in memory: what waits on the disk may come after it. */
  readonly sentEarly = new Set<string>();
  readonly #origin: Origin;
  readonly #disk: Disk;
  readonly #memoryOf = new Map<Actor, Memory>();
  readonly #commands = new Map<string, Command>();
  readonly #told = new Map<string, "stored" | "refused" | "failed">();
  readonly #withAnother = new Set<string>();
  /** Pages with more refusals than are remembered. */
  readonly #forgetful = new Set<string>();
  readonly #journaled = new Set<string>();
  readonly #acceptedBy = new Map<Actor, Accepted[]>();
  /** Visitors and sessions that the person cleared. */
  readonly #cleared = new Set<string>();
  /** Ids of rows that the tracker made in memory, and that moved to the disk: there it may make them too. */
  readonly #brought = new Set<string>();
  /** Pages of which something was refused that the disk knows nothing of: in a host's memory, or before it was emptied. */
  readonly #refusedElsewhere = new Set<string>();
  #wasErased = false;
  /** A memory was erased before it could be looked at. */
  #erasedUnseen = false;
  wasCleared = false;

  constructor(origin: Origin, disk: Disk) {
    this.#origin = origin;
    this.#disk = disk;
    const merges = new Set<string>();
    this.disk = new Place("disk", new SessionModel(origin, merges), new SelectionModel(origin, merges));
  }

  // --- what tabs did and heard ---

  called(pageId: string, command: Command): void {
    this.#commands.set(`${pageId}-${command.n}`, command);
    this.#origin.environment.chronicle.count("calls");
  }

  answered(pageId: string, answers: readonly CommandAnswer[]): void {
    for (const { n, error } of answers) {
      const id = `${pageId}-${n}`;
      this.#told.set(id, error ? "refused" : "stored");
      this.#origin.environment.chronicle.count(error ? "calls refused" : "calls stored");
      this.#expect(!error || REFUSALS.test(error.message), () => `refused for ${error?.message}`);
      const isErased = error?.message.includes("erased") === true;
      this.#expect(!isErased || this.#wasErased, () => `${id} is refused as erased, and nothing was`);
      // Another host's memory may have it: neither knows of the other.
      const isStored = this.accepted
        .get(id)
        ?.some((copy) => copy.fate !== "erased" && copy.place === this.disk && !isPast(copy));
      this.#expect(
        !error || !isStored || this.#refusedElsewhere.has(pageId),
        () => `${id} is stored and told as refused`,
      );
      const isRow = this.#commands.get(id)?.type !== "liveChat";
      if (error || !isRow || this.accepted.has(id)) continue;
      const isUnknown = this.#forgetful.has(pageId) || this.#erasedUnseen;
      this.#expect(isUnknown, () => `${id} is told as stored and is not`);
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
    this.#origin.environment.chronicle.count(
      this.accepted.has(id) ? "calls told as failed, though stored" : "calls failed",
    );
  }

  journaled(pageId: string, commands: readonly Command[]): void {
    for (const { n } of commands) this.#journaled.add(`${pageId}-${n}`);
    this.#origin.environment.chronicle.count("calls journaled", commands.length);
  }

  journalDropped(pageId: string): void {
    for (const id of this.#journaled) if (id.startsWith(`${pageId}-`)) this.#journaled.delete(id);
  }

  journalsCleared(): void {
    this.#journaled.clear();
  }

  /** A host is asked now what waits: it tells of all that it accepted so far and that waits when it answers. */
  countFrom(host: Actor): (waiting: number) => void {
    const before = (this.#acceptedBy.get(host) ?? []).filter(
      ({ row, fate }) => fate === "waiting" && this.#told.get(row.id) === "stored",
    );
    return (waiting) => {
      const here = this.#memoryOf.get(host) ?? this.disk;
      const still = new Set<string>();
      for (const { row, fate, wasRejected, place } of before) {
        // In memory it knows of nothing that waits on the disk.
        if (place !== here || fate !== "waiting" || wasRejected) continue;
        if (!this.#isSettled(row.id, host)) still.add(row.id);
      }
      const isErased = this.#memoryOf.get(host)?.isErased === true;
      this.#expect(
        waiting >= still.size || isErased,
        () => `${host.name} tells of ${waiting} that wait, and of its own are ${still.size}`,
      );
    };
  }

  /** Somewhere: where else it stands it may still wait. Memory knows of answers that the disk never heard of. */
  #isSettled(id: string, host: Actor): boolean {
    const isGone = this.accepted.get(id)?.some(({ fate }) => fate === "gone" || fate === "rejected") === true;
    return isGone || (this.#memoryOf.has(host) && this.#origin.environment.service.hasApplied(id));
  }

  // --- what the store accepted ---

  committed(host: Actor, before: TrackerRecord, change: WriteSet, after: TrackerRecord): void {
    if (change.record) this.#checkCleared(after);
    this.#committed(this.disk, host, before, change, after);
  }

  /** While the disk fails for it, a host goes on in memory, by the same rules. */
  committedInMemory(host: Actor, before: TrackerRecord, change: WriteSet, after: TrackerRecord): void {
    const memory = this.#memoryOf.get(host);
    if (!memory) return this.#expect(false, () => `${host.name} decides in a memory that it has not`);
    if (!memory.record) {
      // What it holds from the beginning is not known yet.
      memory.early.push({
        before,
        erases: change.erase === true,
        commit: () => this.committedInMemory(host, before, change, after),
      });
      return;
    }
    memory.record = after;
    memory.retired.push(...(change.retire ?? []));
    // From here on nothing of before counts.
    if (change.erase) {
      memory.isErased = memory.isExact = true;
      memory.isBlind = false;
    }
    this.#committed(memory, host, before, change, after);
  }

  #committed(place: Place, host: Actor, before: TrackerRecord, change: WriteSet, after: TrackerRecord): void {
    if (change.erase) {
      this.#expect(after.generation > before.generation, () => "erasing raises no generation");
      this.#expect(after.consent === before.consent, () => "erasing forgets the consent");
      this.#erase(place);
    }
    const fresh: OutboxRow[] = [];
    for (const row of change.put ?? []) {
      const known = place.rows.get(row.seq);
      if (known) this.#moved(known, row);
      else {
        this.#new(place, host, before, after, before.nextSeq + fresh.length, row);
        fresh.push(row);
      }
    }
    for (const { pageId, refused } of change.pages ?? []) {
      if (refused.length > 0 && place !== this.disk) this.#refusedElsewhere.add(pageId);
      if (refused.length >= REFUSALS_KEPT) this.#forgetful.add(pageId);
    }
    for (const seq of change.remove ?? []) this.#removed(place, seq);
    if (change.record) this.#checkCounters(place, after);
    if (after.nextSeq !== before.nextSeq + fresh.length) this.#expect(false, () => "numbers without rows");
    const isExact = !(place instanceof Memory) || place.isExact;
    if (change.record && isExact) {
      place.selection.committed(host, before, change, after);
      place.sessions.committed(before, change, after, fresh, (id) => this.#commands.get(id));
    }
    if (fresh.length > 0) {
      this.#origin.environment.chronicle.count("operations", fresh.length);
      if (place !== this.disk) this.#origin.environment.chronicle.count("operations in memory", fresh.length);
      this.#tell(host, `accepts ${place === this.disk ? "" : "in memory "}`, fresh);
    }
  }

  #new(
    place: Place,
    host: Actor,
    before: TrackerRecord,
    after: TrackerRecord,
    seq: number,
    row: OutboxRow,
  ): void {
    const { id } = row;
    this.#expect(row.seq === seq, () => `${id} has number ${row.seq} instead of ${seq}`);
    const command = this.#commands.get(id);
    // Of a page load: its page knows of no erase.
    const isFirst = command?.generation === Infinity;
    // A clock that was set back lets a page view of before an erase pass for one of after it.
    const mayComeAgain = ({ fate }: Accepted): boolean =>
      fate === "erased" && isFirst && this.#origin.clockWasSet;
    this.#add(
      place,
      host,
      row,
      (copy) => copy.place === place && !this.#brought.has(id) && !mayComeAgain(copy),
    );
    if (isOfTracker(id)) return;
    this.#expect(command !== undefined, () => `nobody called ${id}`);
    // Whoever loads the page may have told with the same message that Global Privacy Control is off.
    this.#expect(!isOptedOut(isFirst ? after : before), () => `${id} is accepted though opted out`);
    this.#expect(
      isFirst
        ? command.at >= before.generation || this.#origin.clockWasSet
        : (command?.generation ?? 0) >= before.generation,
      () => `${id} was called before the erasing`,
    );
    const told = this.#told.get(id);
    if (told === "failed" && this.#withAnother.has(id)) {
      return this.#origin.environment.chronicle.count(
        "calls told as failed, then stored by a host left behind",
      );
    }
    // Of what was told elsewhere memory knows nothing, nor the disk of what was told in memory.
    const isElsewhere =
      told === "stored"
        ? this.accepted.get(id)?.some((copy) => copy.place !== place)
        : place !== this.disk || this.#refusedElsewhere.has(pageOf(id));
    this.#expect(
      told === undefined || (told !== "failed" && isElsewhere) || this.#origin.clockWasSet || this.wasCleared,
      () => `${id} is accepted after it was told as ${told}`,
    );
  }

  /** @param isDouble Whether a copy that stands somewhere speaks against another one here. */
  #add(place: Place, host: Actor, row: OutboxRow, isDouble: (copy: Accepted) => boolean): Accepted {
    const copies = this.accepted.get(row.id) ?? [];
    const double = copies.find((copy) => !isPast(copy) && isDouble(copy));
    this.#expect(!double, () => `${row.id} is accepted twice`);
    const accepted = place.add(row);
    copies.push(accepted);
    this.accepted.set(row.id, copies);
    if (place === this.disk) this.onDisk.push(accepted);
    const own = this.#acceptedBy.get(host) ?? [];
    own.push(accepted);
    this.#acceptedBy.set(host, own);
    return accepted;
  }

  #moved(known: Accepted, row: OutboxRow): void {
    const { service } = this.#origin.environment;
    const { id } = row;
    const queue = known.place.profileQueueOf(row.profile);
    if (row.state === "rejected") {
      this.#expect(known.fate === "waiting", () => `${id} is rejected though ${known.fate}`);
      this.#expect(service.refusals.has(id), () => `${id} is rejected, and the service never did`);
      this.#expect(row.error !== undefined, () => `${id} is rejected without a reason`);
      known.fate = "rejected";
      known.wasRejected = true;
      queue.waiting -= 1;
      queue.rejected += 1;
    } else {
      this.#expect(known.fate === "rejected", () => `${id} waits again though ${known.fate}`);
      known.fate = "waiting";
      queue.waiting += 1;
      queue.rejected -= 1;
    }
  }

  #removed(place: Place, seq: number): void {
    const known = place.rows.get(seq);
    if (!known) return this.#expect(false, () => `row ${seq} is removed and was not there`);
    const { id, profile } = known.row;
    const queue = place.profileQueueOf(profile);
    place.rows.delete(seq);
    if (known.fate === "rejected") {
      this.#expect(this.#origin.discards > 0, () => `the rejected ${id} is dropped`);
      known.fate = "discarded";
      queue.rejected -= 1;
      return;
    }
    const { service } = this.#origin.environment;
    // Of what is let go of, something may have been applied before, or be on its way.
    known.fate = this.#isDropped(known.row) ? "dropped" : "gone";
    this.#expect(
      known.fate === "dropped" || service.hasApplied(id),
      () => `${id} leaves the outbox unacknowledged`,
    );
    if (known.fate === "dropped") this.#origin.environment.chronicle.count("operations let go of");
    queue.waiting -= 1;
  }

  /** Somebody let go of what waits for a profile that the service refused to register, or of such a visitor's merge. */
  #isDropped({ id, type, profile, operation }: OutboxRow): boolean {
    const { discards, environment } = this.#origin;
    if (discards === 0 || environment.service.hasApplied(id)) return false;
    const needed = [
      profile,
      ...(type === "profile.merge" ? [(operation as ProfileMergeOperation).from] : []),
    ];
    return needed.some((one) => environment.service.hasRefusedToRegister(one));
  }

  #erase(place: Place): void {
    this.#wasErased = true;
    place.empty("erased");
    this.#journaled.clear();
    place.sessions.erased();
    if (place !== this.disk) return;
    // What was delivered is the service's; here nothing is known of it any more.
    for (const copies of this.accepted.values()) {
      for (const copy of copies) {
        if (copy.place === place && DONE.has(copy.fate)) copy.fate = "erased";
      }
    }
  }

  #checkCounters(place: Place, after: TrackerRecord): void {
    if (place instanceof Memory && place.isBlind) return;
    const problem = place.problemWith(after);
    this.#expect(problem === null, () => problem ?? "");
  }

  // --- memory, from failover to retirement ---

  /** A host goes on in memory, with what the disk told it last. */
  memoryBegins(host: Actor, heard: { record: TrackerRecord; version: number } | null): void {
    const disk = this.#disk;
    const isCurrent = heard ? heard.version === disk.version : disk.version === 0;
    const { sessions, selection } = this.disk;
    const version = isCurrent ? disk.version : null;
    const memory = new Memory(heard?.record ?? null, version, sessions.copy(), selection.copy(host));
    this.#memoryOf.set(host, memory);
    this.memories.push(memory);
  }

  /** What memory holds from the beginning: rows that the disk may or may not have got. */
  memoryBegan(host: Actor, record: TrackerRecord, rows: readonly OutboxRow[]): void {
    const memory = this.#memoryOf.get(host);
    if (!memory || memory.record) return;
    const before = memory.early[0]?.before ?? record;
    memory.isBlind = memory.early.some(({ erases }) => erases);
    this.#erasedUnseen ||= memory.isBlind;
    this.#begin(
      memory,
      host,
      before,
      rows.filter(({ seq }) => seq < before.nextSeq),
    );
    for (const { commit } of memory.early.splice(0)) commit();
  }

  #begin(memory: Memory, host: Actor, record: TrackerRecord, rows: readonly OutboxRow[]): void {
    memory.record = memory.begun = record;
    const isOnDisk = (copy: Accepted): boolean => copy.place === this.disk && !isPast(copy);
    const unknown = rows.filter(({ id }) => !this.accepted.get(id)?.some(isOnDisk));
    for (const row of rows) this.#add(memory, host, row, () => false);
    if (rows.length > 0) this.#tell(host, "holds in memory what the disk may have", rows);
    this.#checkCounters(memory, record);
    const { record: before, version } = this.#disk;
    // Its own last commit may have happened without its knowing, and memory have that too.
    if (!memory.isExact && memory.left && isSameHistory(before, record)) memory.isExactFrom(version);
    if (!memory.isExact) return;
    memory.selection.committed(host, before, { put: unknown }, record);
    memory.sessions.committed(before, { put: unknown }, record, unknown, (id) => this.#commands.get(id));
  }

  /** Its host gave way to a new one on the disk, or died: then what was in memory is lost, which `state.storage` admits. */
  memoryEnded(host: Actor, how: "retired" | "died"): void {
    const memory = this.#memoryOf.get(host);
    if (!memory) return;
    this.#origin.environment.chronicle.count(
      `operations waiting in memory as the host ${how}`,
      memory.waiting,
    );
    // The disk may hold it all the same: a host can die before it hears that it has retired.
    if (how === "retired") {
      const left = [...memory.rows.values()].find(({ row }) => !memory.closedWith.has(row.seq));
      this.#expect(!left, () => `${left?.row.id} is left in the memory of a host that retired`);
    }
    if (how === "died") for (const accepted of memory.rows.values()) accepted.fate = "died";
    else memory.empty("moved");
    if (how === "retired") this.#memoryOf.delete(host);
  }

  /** A host in memory gives way: what must not be forgotten is on the disk from here on. */
  closed(host: Actor, before: TrackerRecord, change: WriteSet, after: TrackerRecord): void {
    const memory = this.#memoryOf.get(host);
    const mine = memory?.record;
    if (!memory || !mine) return this.#expect(false, () => `${host.name} retires and is not in memory`);
    const { left } = memory;
    const { put = [] } = change;
    memory.closedWith = new Set(memory.rows.keys());
    const forgotten = memory.retired.find((key) => !change.retire?.includes(key));
    this.#expect(forgotten === undefined, () => `the end of the Live Chat session ${forgotten} is forgotten`);
    const cannotSend = planOf(mine, this.#origin.wallClock()).kind !== "send";
    this.#expect(cannotSend || memory.isErased, () => `${host.name} retires and has something to send`);
    const isEmptied = before.connection === null && left?.connection != null;
    const known = isEmptied ? left : before;
    const isErasedThere = left !== null && known.generation > mine.generation;
    this.#checkDecisions(mine, left, known, change, after);
    if (change.erase) this.#erase(this.disk);
    const processed = new Map(change.erase ? [] : this.#disk.rows.held.pages.map((one) => [one.pageId, one]));
    const isOnDisk = (id: string): boolean => {
      if (id.startsWith("s-")) return !change.erase && knowsSession(before, id.slice(2));
      const page = isOfTracker(id) ? undefined : processed.get(pageOf(id));
      return page !== undefined && isProcessed(page, numberOf(id));
    };
    const own = isErasedThere ? 0 : this.#checkMoved(memory, put, isOnDisk);
    this.#expect(!isErasedThere || put.length === 0, () => "what was erased on the disk comes back");
    const first = after.nextSeq - put.length;
    const isInRow = first === before.nextSeq || (isEmptied && first > left.nextSeq);
    this.#expect(isInRow, () => "numbers without rows");
    // A host that never saw the disk knows of no erase: a known limit.
    const isDouble = ({ row: { id }, place, fate }: Accepted): boolean =>
      place === this.disk && !isOfTracker(id) && !(fate === "erased" && left === null);
    put.forEach((row, index) => {
      const { id, seq } = row;
      if (isOfTracker(id)) this.#brought.add(id);
      this.#expect(seq === first + index, () => `${id} has number ${seq} instead of ${first + index}`);
      this.#add(this.disk, host, row, isDouble).movedFrom = memory;
    });
    this.#checkCounters(this.disk, after);
    this.#checkCleared(after);
    if (put.length > 0) this.#tell(host, "hands over", put);
    if (!isErasedThere) this.#checkSessions(memory, mine, change.erase ? null : known, put, after);
    const isAlone = memory.version === this.#disk.version;
    if (memory.isExact && !isEmptied && (isAlone || change.erase)) {
      // Nobody else moved on: what memory went on with goes on here.
      this.disk.sessions = memory.sessions.copy();
      const { selection } = this.disk;
      this.disk.selection = memory.selection.copy();
      this.disk.selection.join(selection);
      this.#expect(own === put.length, () => "more is handed over than memory holds");
      const isSame =
        mine.session?.id === after.session?.id &&
        profileKeyOf(mine) === profileKeyOf(after) &&
        mine.liveChat?.id === after.liveChat?.id;
      this.#expect(isSame, () => "what went on in memory does not go on");
    } else {
      const touched = memory.all.map(({ row }) => row);
      this.disk.selection.join(memory.selection);
      this.disk.sessions.joined([...touched, ...put], put, after);
      this.disk.selection.joined(put, host, before, after);
    }
  }

  /** Neither an erase nor somebody's choice is forgotten. */
  #checkDecisions(
    mine: TrackerRecord,
    left: TrackerRecord | null,
    before: TrackerRecord,
    { erase, retire = [] }: WriteSet,
    after: TrackerRecord,
  ): void {
    const isErase = mine.generation > Math.max(left?.generation ?? 0, before.generation);
    this.#expect(isErase === (erase === true), () => "an erase in memory is not one on the disk");
    const generation = Math.max(mine.generation, before.generation);
    this.#expect(after.generation === generation, () => "an erase is forgotten");
    const isChosen = mine.consent === "in" || mine.consent === "out";
    const isChanged = mine.consent !== (left?.consent ?? "undecided");
    if (isChosen && isChanged) {
      this.#expect(after.consent === mine.consent, () => `the choice to opt ${mine.consent} is forgotten`);
    }
    if (!isChanged) this.#expect(after.consent === before.consent, () => "the disk's consent is forgotten");
    const isOver = !this.wasCleared && after.liveChat !== null && retire.includes(after.liveChat.id);
    this.#expect(!isOver, () => `the Live Chat session ${after.liveChat?.id} is over and goes on`);
  }

  /** @returns how many of the rows are memory's own: those that are left, in their order, and no others */
  #checkMoved(memory: Memory, put: readonly OutboxRow[], isOnDisk: (id: string) => boolean): number {
    let next = 0;
    for (const { row, fate } of memory.rows.values()) {
      if (isOnDisk(row.id)) continue;
      const moved = put[next++];
      const isSame =
        moved?.id === row.id &&
        (moved.state === fate || fate === "died") &&
        (profileKey(moved.profile) === profileKey(row.profile) ||
          (fate === "waiting" && this.#isMergedInto(row.profile, moved.profile))) &&
        JSON.stringify(moved.operation) === JSON.stringify(row.operation);
      this.#expect(isSame, () => `${row.id} does not come to the disk in its turn`);
    }
    for (const { id } of put.slice(next)) {
      this.#expect(/^[em]-/.test(id), () => `${id} comes to the disk and was not in memory`);
    }
    return next;
  }

  /** A session that was open in either place goes on, or has its end. */
  #checkSessions(
    { left, begun }: Memory,
    mine: TrackerRecord,
    disk: TrackerRecord | null,
    put: readonly OutboxRow[],
    after: TrackerRecord,
  ): void {
    const check = (session: TrackerRecord["session"], others: readonly (TrackerRecord | null)[]): void => {
      if (!session) return;
      const isKnown = others.some((record) => knowsSession(record, session.id));
      const isEnded = put.some(({ id }) => id === `e-${session.id}`);
      const isOld = session.expiresAt < this.#origin.wallClock() - OLDEST_END_MS;
      const goesOn = after.session?.id === session.id;
      this.#expect(isKnown || isEnded || goesOn || isOld, () => `${session.id} is left without an end`);
    };
    check(mine.session, [disk, left]);
    check(disk?.session ?? null, [mine, left, begun]);
  }

  /** The database was deleted, or the site's data cleared. */
  emptied({ visitor, session }: TrackerRecord): void {
    if (visitor) this.#cleared.add(visitor.id);
    if (session) this.#cleared.add(session.id);
    this.wasCleared = true;
    for (const id of this.#commands.keys()) this.#refusedElsewhere.add(pageOf(id));
    this.disk.empty("cleared");
    for (const copies of this.accepted.values()) {
      for (const copy of copies) {
        // What was delivered is the service's: a page that asks again is not known any more.
        if (copy.place === this.disk) copy.fate = "cleared";
      }
    }
    this.disk.sessions.erased();
    this.disk.selection.emptied();
  }

  /** Who was known then stays forgotten. */
  #checkCleared({ visitor, session }: TrackerRecord): void {
    for (const known of [visitor, session])
      this.#expect(!known || !this.#cleared.has(known.id), () => `${known?.id} was cleared and is back`);
  }

  /** Of a batch that was read in memory: what waits on the disk may be applied after it. */
  sentFromMemory(request: WireRequest): void {
    const { operations = [] } = JSON.parse(request.body ?? "{}") as Partial<BatchRequest>;
    for (const { id } of operations) this.sentEarly.add(id);
  }

  // --- the end ---

  get waiting(): number {
    let count = this.disk.waiting;
    for (const memory of this.#memoryOf.values()) count += memory.waiting;
    return count;
  }

  /** How many of these no service will take. */
  get hopeless(): number {
    let count = 0;
    for (const { row, fate } of this.disk.rows.values()) {
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

  #isMergedInto(visitor: Profile, person: Profile): boolean {
    const merges = this.accepted.get(mergeOf(visitor.id)) ?? [];
    return merges.some(({ row }) => profileKey(row.profile) === profileKey(person));
  }

  wasInMemory(id: string): boolean {
    return this.accepted.get(id)?.some(({ place }) => place !== this.disk) === true;
  }

  mergedInMemory(visitor: string): boolean {
    return this.wasInMemory(mergeOf(visitor));
  }

  command(id: string): Command | undefined {
    return this.#commands.get(id);
  }

  #tell(host: Actor, what: string, rows: readonly OutboxRow[]): void {
    const list = rows.map(({ seq, id }) => `${seq}:${id}`).join(" ");
    this.#origin.environment.chronicle.tell(host.name, `${what}${what.endsWith(" ") ? "" : " "}${list}`);
  }

  #expect(holds: boolean, what: () => string): void {
    this.#origin.environment.chronicle.expect(holds, this.#origin.name, what);
  }
}

const knowsSession = (record: TrackerRecord | null, id: string): boolean =>
  [record?.session, ...(record?.pastSessions ?? [])].some((session) => session?.id === id);

const historyOf = ({ session, selections, visitor, liveChat }: TrackerRecord): string =>
  JSON.stringify([session, selections, visitor, liveChat]);
const isSameHistory = (a: TrackerRecord, b: TrackerRecord): boolean => historyOf(a) === historyOf(b);

const profileKeyOf = (record: TrackerRecord | null): string | null => {
  const selected = record && selectedProfile(record);
  return selected ? profileKey(selected) : null;
};
