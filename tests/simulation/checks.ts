/**
 * The checks of one origin. They stand outside of what they check: hosts and tabs report what they commit, send and
 * hear, and nothing that the checks know comes back to them.
 */
import type { WriteSet } from "../../src/core/ports.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import type { Actor } from "./actor.js";
import type { Disk } from "./disk.js";
import { DueModel } from "./due-model.js";
import { hasLater } from "./later-version.js";
import { OutboxModel } from "./outbox-model.js";
import type { Origin } from "./origin.js";
import { Sending } from "./sending.js";

export class Checks {
  readonly outbox: OutboxModel;
  readonly sending: Sending;
  readonly #due: DueModel;
  readonly #origin: Origin;

  constructor(origin: Origin, disk: Disk) {
    this.#origin = origin;
    this.outbox = new OutboxModel(origin, disk);
    this.sending = new Sending(origin, disk);
    this.#due = new DueModel(origin);
  }

  committed(host: Actor, before: TrackerRecord, change: WriteSet, after: TrackerRecord): void {
    this.#consentMayHaveChanged(before, after);
    const keepsLater = change.erase || !hasLater(before) || hasLater(after);
    const { chronicle } = this.#origin.environment;
    chronicle.expect(keepsLater, host.name, () => "drops what a later version keeps");
    this.sending.committed(host, before.delivery, after.delivery);
    this.#due.committed(host, change, after);
    this.outbox.committed(host, before, change, after);
  }

  /** A host in memory has written to the disk what must not be forgotten. */
  closed(host: Actor, before: TrackerRecord, change: WriteSet, after: TrackerRecord): void {
    this.#consentMayHaveChanged(before, after);
    if (change.erase) this.#due.emptied();
    this.outbox.closed(host, before, change, after);
  }

  /** The person cleared the database, and all that the site keeps perhaps. */
  emptied(before: TrackerRecord, withJournals: boolean): void {
    if (withJournals) this.outbox.journalsCleared();
    this.sending.consentChanged();
    this.#due.emptied();
    this.outbox.emptied(before);
  }

  #consentMayHaveChanged(before: TrackerRecord, after: TrackerRecord): void {
    if (after.consent === before.consent) return;
    this.sending.consentChanged();
    this.#checkConsent(before.consent, after.consent);
  }

  /** What somebody chose holds against Global Privacy Control, and only somebody's choice changes it. */
  #checkConsent(before: TrackerRecord["consent"], after: TrackerRecord["consent"]): void {
    const { choices, environment, name } = this.#origin;
    const isLegal =
      after === "in" || after === "out" ? choices.has(after) : before !== "in" && before !== "out";
    environment.chronicle.expect(isLegal, name, () => `the consent ${before} becomes ${after}`);
  }
}
