import type { Operation, WirePerson, WireScalar } from "../../../src/protocol/wire.js";
import { iso } from "./start-service.js";

let count = 0;
/** Creates unique operation ids. The given fields replace the defaults of each operation. */
const nextId = (): string => `op-${++count}`;

export const event = (definitionId: string, at: number, rest: Partial<Operation> = {}): Operation => ({
  id: nextId(),
  type: "event",
  occurredAt: iso(at),
  sessionId: "session-1",
  definitionId,
  ...(rest as object),
});
export const pageView = (at: number, rest: object = {}): Operation =>
  event("pageView", at, {
    properties: { url: "https://shop.example/", title: "Shop", referrer: "" },
    ...rest,
  });
export const sessionEnded = (at: number, rest: object = {}): Operation => event("sessionEnded", at, rest);
export const update = (at: number, person: WirePerson): Operation => ({
  id: nextId(),
  type: "person.update",
  occurredAt: iso(at),
  person,
});
export const append = (at: number, attribute: string, item: Record<string, WireScalar>): Operation => ({
  id: nextId(),
  type: "list.append",
  occurredAt: iso(at),
  attribute,
  item,
});
export const merge = (at: number, visitor: { id: string; write: string }): Operation => ({
  id: nextId(),
  type: "profile.merge",
  occurredAt: iso(at),
  from: { kind: "visitor", id: visitor.id, token: visitor.write },
});
