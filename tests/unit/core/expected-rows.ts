/**
 * A second reading of the contract, as plain as can be, for histories in which everything is told at once: what rows
 * there must be. It shares nothing with the core but the constants of the contract, written out.
 */
import type { OutboxRow } from "../../../src/protocol/api.js";
import type { ProfileMergeOperation } from "../../../src/protocol/wire.js";
import type { Step, Tab } from "./histories.js";
import { NOON } from "./tracked-browser.js";

const DAY = 24 * 3_600_000;

/** What a row says, with sessions and visitors numbered by their first appearance. */
export interface NamedRow {
  what: string;
  at: number;
  who: string;
  session?: string;
}

const naming = () => {
  const names = new Map<string, string>();
  return (key: string, prefix: string): string => {
    const name = names.get(key) ?? `${prefix}${names.size + 1}`;
    names.set(key, name);
    return name;
  };
};

export const namedRows = (rows: readonly OutboxRow[]): NamedRow[] => {
  const visitor = naming();
  const session = naming();
  return rows.map(({ type, operation, occurredAt, profile, sessionId }) => {
    const from = type === "profile.merge" && visitor((operation as ProfileMergeOperation).from.id, "visitor");
    return {
      what: from ? `merge of ${from}` : ((operation as { definitionId?: string }).definitionId ?? type),
      at: Date.parse(occurredAt) - NOON,
      who: profile.kind === "visitor" ? visitor(profile.id, "visitor") : `${profile.kind} ${profile.id}`,
      ...(sessionId !== undefined && { session: session(sessionId, "session") }),
    };
  });
};

export const expectedRows = (steps: readonly Step[], timeouts: Record<Tab, number>): NamedRow[] => {
  const rows: NamedRow[] = [];
  let at = 0;
  let changeCount = 1;
  let visitorCount = 0;
  let sessionCount = 0;
  let person: { kind: "lead" | "authenticated"; id: string; chat: string } | null = null;
  let visitor: { name: string | null; lastSeen: number } | null = null;
  let session: { name: string; expires: number } | null = null;

  const who = (): string => {
    if (person) return `${person.kind} ${person.id}`;
    visitor ??= { name: null, lastSeen: at };
    visitor.name ??= `visitor${++visitorCount}`;
    return visitor.name;
  };
  const end = (endedAt: number): void => {
    if (!session) return;
    if (at - endedAt <= 29 * DAY) {
      rows.push({ what: "sessionEnded", at: endedAt, who: who(), session: session.name });
    }
    session = null;
  };
  const endIfDue = (): void => {
    if (session && at >= session.expires) end(session.expires);
  };
  const forgetGoneVisitor = (): void => {
    if (visitor && at > visitor.lastSeen + 45 * DAY) visitor = null;
  };

  for (const step of steps) {
    at += step.gapMs;
    switch (step.kind) {
      case "activity": {
        endIfDue();
        forgetGoneVisitor();
        const owner = who();
        if (!session) {
          session = { name: `session${++sessionCount}`, expires: 0 };
          rows.push({ what: "sessionStarted", at, who: owner, session: session.name });
        }
        rows.push({ what: "action", at, who: owner, session: session.name });
        session.expires = at + timeouts[step.tab];
        if (visitor) visitor.lastSeen = at;
        break;
      }
      case "update":
        if (person?.kind === "lead") rows.push({ what: "person.update", at, who: who() });
        endIfDue();
        break;
      case "chat":
      case "authenticate":
      case "logout": {
        const isChange =
          step.kind === "chat"
            ? person === null
            : step.kind === "logout"
              ? person !== null
              : person?.kind !== "authenticated";
        if (!isChange) break;
        endIfDue();
        const chat: string = person?.chat ?? `chat${changeCount}`;
        changeCount += 1;
        if (person) end(at);
        forgetGoneVisitor();
        const merged = person ? null : visitor?.name;
        visitor = step.kind === "logout" ? { name: null, lastSeen: at } : null;
        person =
          step.kind === "logout"
            ? null
            : step.kind === "chat"
              ? { kind: "lead", id: `person-of-${chat}`, chat }
              : { kind: "authenticated", id: "user", chat };
        if (merged) rows.push({ what: `merge of ${merged}`, at, who: who() });
        break;
      }
      case "repeat":
      case "resend":
      case "clock":
      case "look":
      case "load":
      case "erase":
      case "optOut":
      case "optIn":
        throw new Error(`no reading of ${step.kind}`);
    }
  }
  at += 30 * 60_000;
  endIfDue();
  return rows;
};
