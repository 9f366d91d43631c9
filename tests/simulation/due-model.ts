/** What must hold of when rows are due: an event waits for others no longer than its tab says, and nothing else waits. */
import { firstDueAt } from "../../src/core/delivery/due.js";
import type { WriteSet } from "../../src/core/ports.js";
import { profileQueueOf } from "../../src/core/record/profile-queues.js";
import type { TrackerRecord } from "../../src/core/tracker-record.js";
import type { OutboxRow } from "../../src/protocol/api.js";
import type { Actor } from "./actor.js";
import type { Origin } from "./origin.js";

export class DueModel {
  readonly #origin: Origin;
  /** The rows that wait, by `seq`, and when each has to be due. */
  readonly #waiting = new Map<number, { row: OutboxRow; dueBy: number }>();

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  emptied(): void {
    this.#waiting.clear();
  }

  committed(host: Actor, { put = [], remove = [], erase }: WriteSet, after: TrackerRecord): void {
    const { chronicle, plan } = this.#origin.environment;
    const now = this.#origin.wallClock();
    if (erase) this.#waiting.clear();
    for (const row of put) {
      const dueBy = now + (row.type === "event" ? plan.deliveryDelayMs : 0);
      if (row.state === "waiting") this.#waiting.set(row.seq, { row, dueBy });
      else this.#waiting.delete(row.seq);
    }
    for (const seq of remove) this.#waiting.delete(seq);
    const dueAt = firstDueAt(after, now);
    if (dueAt === null) return;
    for (const [seq, { row, dueBy }] of this.#waiting) {
      // What the service refused waits for its probe request.
      if (profileQueueOf(after, row.profile).stop) this.#waiting.delete(seq);
      else chronicle.expect(dueAt <= dueBy, host.name, () => `${row.id} is due ${dueAt - dueBy} ms late`);
    }
  }
}
