import { createHash } from "node:crypto";
import * as v from "valibot";
import {
  definitionIdSchema,
  definitionPropertiesSchema,
  isOfPropertyType,
} from "../../src/protocol/schemas/events.js";
import type { DefinitionsAnswer, EventDefinition, EventOperation } from "../../src/protocol/wire.js";
import { STANDARD_EVENTS } from "../../src/protocol/wire.js";
import { isAmong, type Database } from "./database.js";
import { rejection, type Rejection } from "./problem.js";
import { definitions } from "./schema.js";

/** Built in, not listed and not to be redefined. */
const STANDARD: ReadonlyMap<string, EventDefinition> = new Map([
  [STANDARD_EVENTS.start, { id: STANDARD_EVENTS.start, properties: {} }],
  [STANDARD_EVENTS.end, { id: STANDARD_EVENTS.end, properties: {} }],
  [
    STANDARD_EVENTS.pageView,
    { id: STANDARD_EVENTS.pageView, properties: { url: "string", title: "string", referrer: "string" } },
  ],
]);

export const definitionBodySchema = v.object({
  title: v.exactOptional(v.pipe(v.string("must be a string"), v.maxLength(256))),
  properties: definitionPropertiesSchema,
});
export const newDefinitionIdSchema = v.pipe(
  definitionIdSchema,
  v.check((id) => !STANDARD.has(id), "names a standard event"),
);

/** The custom events that may be tracked. */
export interface Definitions {
  /** Defines an event, or replaces its definition. */
  put(definition: EventDefinition): Promise<EventDefinition>;
  list(): Promise<DefinitionsAnswer>;
  /** Those of the ids that are defined, the standard events among them. */
  find(ids: readonly string[]): Promise<Map<string, EventDefinition>>;
}

export type DefinitionRow = typeof definitions.$inferSelect;

const toDefinition = ({ id, title, properties }: DefinitionRow): EventDefinition => ({
  id,
  ...(title === null ? {} : { title }),
  properties,
});

/** By id, with the standard events. */
export const withStandardEvents = (rows: readonly DefinitionRow[]): Map<string, EventDefinition> =>
  new Map([...STANDARD, ...rows.map((row) => [row.id, toDefinition(row)] as const)]);

export function openDefinitions(db: Database): Definitions {
  return {
    async put(definition) {
      const id = v.parse(newDefinitionIdSchema, definition.id);
      const { title = null, properties } = v.parse(definitionBodySchema, definition);
      const [row] = await db
        .insert(definitions)
        .values({ id, title, properties })
        .onConflictDoUpdate({ target: definitions.id, set: { title, properties } })
        .returning();
      return toDefinition(row!);
    },
    async list() {
      const all = (await db.select().from(definitions).orderBy(definitions.id)).map(toDefinition);
      const version = createHash("sha256").update(JSON.stringify(all)).digest("base64url").slice(0, 22);
      return { version, definitions: all };
    },
    async find(ids) {
      const custom = ids.filter((id) => !STANDARD.has(id));
      if (!custom.length) return withStandardEvents([]);
      const rows = await db
        .select()
        .from(definitions)
        .where(isAmong(definitions.id, custom))
        .prepare("definitions_among")
        .execute();
      return withStandardEvents(rows);
    },
  };
}

/** Whether an event is as its definition says. Not every property need be given. */
export function judgeEvent(
  event: EventOperation,
  known: ReadonlyMap<string, EventDefinition>,
): Rejection | null {
  const definition = known.get(event.definitionId);
  if (!definition) return rejection(4221, `no event is defined with the id ${event.definitionId}`);
  for (const [name, value] of Object.entries(event.properties ?? {})) {
    if (!Object.hasOwn(definition.properties, name))
      return rejection(4222, `${event.definitionId} has no property ${name}`);
    const type = definition.properties[name]!;
    if (!isOfPropertyType(type, value)) return rejection(4222, `${name} must be of type ${type}`);
  }
  return null;
}
