/** The end of a history: what the service holds, compared with what was accepted. */
import type { OutboxRow } from "../../src/protocol/api.js";
import type { Operation } from "../../src/protocol/wire.js";
import { LIMITS, HOUR } from "../../src/protocol/wire.js";
import { profileKey } from "../../src/core/delivery/registrar.js";
import { REASONS } from "../support/people-service.js";
import type { Browser } from "./browser.js";
import { isBad } from "./calls.js";
import type { Environment } from "./environment.js";
import type { Accepted, Fate } from "./place.js";

export const checkOutcome = (environment: Environment, browsers: readonly Browser[]): void => {
  const { service, chronicle, plan } = environment;
  const applied = new Map(service.applied.map((entry, index) => [entry.operation.id, { ...entry, index }]));
  chronicle.expect(applied.size === service.applied.length, "service", () => "an operation is applied twice");
  const known = new Set<string>();
  for (const browser of browsers) {
    const { name } = browser;
    const { outbox } = browser.checks;
    for (const [id, copies] of outbox.accepted) {
      known.add(id);
      const entry = applied.get(id);
      // What was erased, cleared, or died in memory may have been sent before, or not.
      const held = copies.filter(({ fate }) => !MAY_BE_LOST.has(fate));
      if (held.some(({ fate }) => fate === "gone")) {
        chronicle.expect(entry !== undefined, name, () => `${id} is lost`);
        const isTheirs = !entry || copies.some(({ row }) => isSame(row, entry));
        chronicle.expect(isTheirs, name, () => `${id} is applied as something else`);
      } else if (held[0]) checkRejected(browser, held[0].row, entry !== undefined);
    }
    const positionOf = (id: string): number | undefined => applied.get(id)?.index;
    const isOnceOnDisk = (id: string): boolean =>
      outbox.accepted.get(id)?.filter(({ place }) => place === outbox.disk).length === 1;
    const onDisk = outbox.onDisk.filter(({ row }) => !outbox.sentEarly.has(row.id) && isOnceOnDisk(row.id));
    // What stood elsewhere too came from there perhaps; what moved to the disk goes as the disk has it.
    const memories = outbox.memories.map((memory) =>
      memory.all.flatMap((own) => {
        const others = outbox.accepted.get(own.row.id)?.filter((one) => one !== own) ?? [];
        return others.every(({ movedFrom }) => movedFrom === memory) ? [others.at(-1) ?? own] : [];
      }),
    );
    for (const rows of [onDisk, ...memories]) {
      const late = firstOutOfOrder(rows, positionOf);
      chronicle.expect(!late, name, () => `${late?.row.id} is applied out of order`);
    }
    outbox.disk.sessions.check(plan.sessionTimeoutMs);
    outbox.checkJournals();
    chronicle.expect(browser.journals.count === 0, name, () => "a journal is left");
  }
  for (const id of applied.keys())
    chronicle.expect(known.has(id), "service", () => `${id} was never accepted`);
  chronicle.count("operations applied", service.applied.length);
};

const MAY_BE_LOST = new Set<Fate>(["erased", "cleared", "died", "moved", "dropped"]);

const MAY_COME_LATE = new Set<Fate>(["erased", "cleared", "dropped"]);

/** Of rows that were accepted one after another in one place. */
const firstOutOfOrder = (
  rows: readonly Accepted[],
  positionOf: (id: string) => number | undefined,
): Accepted | undefined => {
  const lastOf = new Map<string, number>();
  return rows.find(({ row, fate, wasRejected }) => {
    const position = positionOf(row.id);
    // What was on its way as it was erased, cleared or let go of comes when it likes: nothing waits for it any more.
    if (position === undefined || wasRejected || MAY_COME_LATE.has(fate)) return false;
    const key = profileKey(row.profile);
    const isLate = position < (lastOf.get(key) ?? -1);
    lastOf.set(key, position);
    return isLate;
  });
};

const isSame = (
  row: OutboxRow,
  { profile, operation }: { profile: object; operation: Operation },
): boolean => {
  const { from } = operation as { from?: { kind: string; id: string } };
  const sent = from ? { ...operation, from: { kind: from.kind, id: from.id } } : operation;
  return (
    JSON.stringify(profile) === JSON.stringify(row.profile) &&
    JSON.stringify(sent) === JSON.stringify(row.operation)
  );
};

/** What the calls and the clock do not call for is never rejected. */
const checkRejected = (
  { checks, name, clockWasSet, environment }: Browser,
  row: OutboxRow,
  isApplied: boolean,
): void => {
  const { outbox } = checks;
  const { chronicle, service, scheduler } = environment;
  const reason = service.refusals.get(row.id);
  const command = outbox.command(row.id);
  const isOld = Date.parse(row.occurredAt) < scheduler.now - LIMITS.operationAgeMs + HOUR;
  const isExpected =
    (command !== undefined &&
      isBad(command) &&
      (reason === REASONS.POISON || reason === REASONS.NOT_DEFINED)) ||
    (reason === REASONS.TOO_OLD && (isOld || clockWasSet)) ||
    reason === REASONS.AFTER_TERMINATION ||
    // Neither knew of the other: one host merged the visitor whose activity the other took, and one of them was in memory.
    // Or the person cleared the site's data, and with them what the disk knew of the merge.
    (reason === REASONS.AFTER_MERGE &&
      (outbox.mergedInMemory(row.profile.id) || outbox.wasInMemory(row.id) || outbox.wasCleared));
  chronicle.expect(isExpected, name, () => `${row.id} is rejected for ${reason}`);
  chronicle.expect(!isApplied, name, () => `${row.id} is rejected and applied`);
  chronicle.count("operations rejected");
};
