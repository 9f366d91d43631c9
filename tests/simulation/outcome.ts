/** The end of a history: what the service holds, compared with what was accepted. */
import type { OutboxRow } from "../../src/protocol/api.js";
import type { Operation } from "../../src/protocol/wire.js";
import { LIMITS, HOUR } from "../../src/protocol/wire.js";
import { profileKey } from "../../src/core/registrar.js";
import type { Browser } from "./browser.js";
import { isBad } from "./calls.js";
import { REASONS } from "./service.js";
import type { World } from "./world.js";

export const checkOutcome = (world: World): void => {
  const { service, browsers, chronicle, plan } = world;
  const applied = new Map(service.applied.map((entry, index) => [entry.operation.id, { ...entry, index }]));
  chronicle.expect(applied.size === service.applied.length, "service", () => "an operation is applied twice");
  const known = new Set<string>();
  for (const browser of browsers) {
    const { ledger, name } = browser;
    const lastOf = new Map<string, number>();
    for (const [id, { row, fate, wasRejected }] of ledger.accepted) {
      known.add(id);
      const entry = applied.get(id);
      if (fate === "erased") continue;
      if (fate === "gone") {
        chronicle.expect(entry !== undefined, name, () => `${id} is lost`);
        if (entry) chronicle.expect(isSame(row, entry), name, () => `${id} is applied as something else`);
      } else checkRejected(browser, row, entry !== undefined);
      if (!entry || wasRejected) continue;
      const key = profileKey(row.profile);
      chronicle.expect(entry.index > (lastOf.get(key) ?? -1), name, () => `${id} is applied out of order`);
      lastOf.set(key, entry.index);
    }
    ledger.sessions.check(plan.sessionTimeoutMs);
    ledger.checkJournals();
    chronicle.expect(browser.journals.size === 0, name, () => "a journal is left");
  }
  for (const id of applied.keys())
    chronicle.expect(known.has(id), "service", () => `${id} was never accepted`);
  chronicle.count("operations applied", service.applied.length);
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
const checkRejected = ({ ledger, name, world }: Browser, row: OutboxRow, isApplied: boolean): void => {
  const { chronicle, service, scheduler } = world;
  const reason = service.refusals.get(row.id);
  const command = ledger.command(row.id);
  const isOld = Date.parse(row.occurredAt) < scheduler.now - LIMITS.operationAgeMs + HOUR;
  const isExpected =
    (command !== undefined &&
      isBad(command) &&
      (reason === REASONS.POISON || reason === REASONS.NOT_DEFINED)) ||
    (reason === REASONS.TOO_OLD && (isOld || ledger.clockWasSet)) ||
    reason === REASONS.AFTER_TERMINATION;
  chronicle.expect(isExpected, name, () => `${row.id} is rejected for ${reason}`);
  chronicle.expect(!isApplied, name, () => `${row.id} is rejected and applied`);
  chronicle.count("operations rejected");
};
