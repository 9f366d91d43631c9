/** What the table of profile selection allows: which changes of the profile there may be, and which merge. */
import type { OutboxRow } from "../../src/protocol/api.js";
import type { WriteSet } from "../../src/core/ports.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { selectedProfile } from "../../src/core/tracker-record.js";
import type { ProfileMergeOperation } from "../../src/protocol/wire.js";
import type { Actor } from "./actor.js";
import type { Origin } from "./origin.js";

export class SelectionModel {
  /** Visitor → the person into whom it has merged. */
  readonly #mergedInto = new Map<string, string>();
  readonly #origin: Origin;
  /** `visitor person` of every merge, wherever. */
  readonly #merges: Set<string>;
  /** Live Chat sessions that were left, for good. */
  readonly #left = new Map<string, Actor>();

  constructor(origin: Origin, merges: Set<string>) {
    this.#origin = origin;
    this.#merges = merges;
  }

  /** @param host Who knows in its memory of those that it left itself only. */
  copy(host?: Actor): SelectionModel {
    const copy = new SelectionModel(this.#origin, this.#merges);
    for (const [visitor, person] of this.#mergedInto) copy.#mergedInto.set(visitor, person);
    for (const [id, by] of this.#left) if (!host || by === host) copy.#left.set(id, by);
    return copy;
  }

  /** The person cleared what was left, and what became of it. */
  emptied(): void {
    this.#left.clear();
    this.#mergedInto.clear();
  }

  /** A host in memory gives way, beside what others did on the disk meanwhile. */
  joined(put: readonly OutboxRow[], host: Actor, before: TrackerRecord, after: TrackerRecord): void {
    for (const { type, operation, profile } of put) {
      if (type === "profile.merge") this.#merged((operation as ProfileMergeOperation).from.id, profile.id);
    }
    // That it was left on the disk, its host could not know in memory.
    if (after.liveChat) this.#left.delete(after.liveChat.id);
    this.#checkLiveChat(host, before.liveChat, after.liveChat);
  }

  /** What others left stays left. */
  join(left: SelectionModel): void {
    for (const [id, by] of left.#left) if (!this.#left.has(id)) this.#left.set(id, by);
  }

  #merged(visitor: string, person: string): void {
    this.#mergedInto.set(visitor, person);
    this.#merges.add(`${visitor} ${person}`);
  }

  committed(host: Actor, before: TrackerRecord, { put = [] }: WriteSet, after: TrackerRecord): void {
    for (const { type, state, operation, profile, seq } of put) {
      if (type !== "profile.merge" || state !== "waiting" || seq < before.nextSeq) continue;
      const visitor = (operation as ProfileMergeOperation).from.id;
      this.#expect(!this.#mergedInto.has(visitor), () => `${visitor} merges twice`);
      this.#expect(profile.kind !== "visitor", () => `${visitor} merges into a visitor`);
      const wasSelected = [...before.selections, ...after.selections].some(
        (one) => one.profile.id === visitor,
      );
      this.#expect(wasSelected, () => `${visitor} merges, though it was not selected`);
      this.#merged(visitor, profile.id);
    }
    this.#checkLiveChat(host, before.liveChat, after.liveChat);
    const selected = selectedProfile(after);
    this.#expect(
      !after.liveChat || (selected?.id === after.liveChat.personId && selected.kind === after.liveChat.kind),
      () => "another profile is selected than Live Chat's",
    );
    this.#expect(
      after.liveChat !== null || selected === null || selected.kind === "visitor",
      () => "a person is selected, and there is no Live Chat session",
    );
  }

  #checkLiveChat(host: Actor, before: TrackerRecord["liveChat"], after: TrackerRecord["liveChat"]): void {
    if (before === after) return;
    if (before && before.id !== after?.id) this.#left.set(before.id, host);
    if (!after) return;
    this.#expect(
      !this.#left.has(after.id),
      () => `the Live Chat session ${after.id} was left and comes back`,
    );
    const becameLead = before?.id === after.id && before.kind === "authenticated" && after.kind === "lead";
    this.#expect(!becameLead, () => "who was authenticated is a lead again");
  }

  #expect(holds: boolean, what: () => string): void {
    this.#origin.environment.chronicle.expect(holds, this.#origin.name, what);
  }
}
