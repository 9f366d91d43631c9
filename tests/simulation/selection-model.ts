/** What the table of profile selection allows: which changes of the profile there may be, and which merge. */
import type { Change } from "../../src/core/ports.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import { selectedProfile } from "../../src/core/tracker-record.js";
import type { ProfileMergeOperation } from "../../src/protocol/wire.js";
import type { Browser } from "./browser.js";

export class SelectionModel {
  /** Visitor → the person into whom it has merged. */
  readonly mergedInto = new Map<string, string>();
  readonly #browser: Browser;
  /** Live Chat sessions that were left, for good. */
  readonly #left = new Set<string>();

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  committed(before: TrackerRecord, { put = [] }: Change, after: TrackerRecord): void {
    for (const { type, state, operation, profile, seq } of put) {
      if (type !== "profile.merge" || state !== "waiting" || seq < before.nextSeq) continue;
      const visitor = (operation as ProfileMergeOperation).from.id;
      this.#expect(!this.mergedInto.has(visitor), () => `${visitor} merges twice`);
      this.#expect(profile.kind !== "visitor", () => `${visitor} merges into a visitor`);
      const wasSelected = [...before.selections, ...after.selections].some(
        (one) => one.profile.id === visitor,
      );
      this.#expect(wasSelected, () => `${visitor} merges, though it was not selected`);
      this.mergedInto.set(visitor, profile.id);
    }
    this.#checkLiveChat(before.liveChat, after.liveChat);
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

  #checkLiveChat(before: TrackerRecord["liveChat"], after: TrackerRecord["liveChat"]): void {
    if (before === after) return;
    if (before && before.id !== after?.id) this.#left.add(before.id);
    if (!after) return;
    this.#expect(
      !this.#left.has(after.id),
      () => `the Live Chat session ${after.id} was left and comes back`,
    );
    const becameLead = before?.id === after.id && before.kind === "authenticated" && after.kind === "lead";
    this.#expect(!becameLead, () => "who was authenticated is a lead again");
  }

  #expect(holds: boolean, what: () => string): void {
    this.#browser.world.chronicle.expect(holds, this.#browser.name, what);
  }
}
