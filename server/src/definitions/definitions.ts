import { createHash } from "node:crypto";
import * as v from "valibot";
import { definitionBodySchema, newDefinitionIdSchema } from "../../../src/protocol/schemas/definitions.js";
import type { DefinitionsAnswer, EventDefinition } from "../../../src/protocol/wire.js";
import { STANDARD_EVENTS } from "../../../src/protocol/wire.js";
import { isAmong, type Database } from "../database/database.js";
import { definitions } from "../database/schema.js";

/** The built-in events. They are not listed and cannot be redefined. */
const STANDARD: ReadonlyMap<string, EventDefinition> = new Map([
  [STANDARD_EVENTS.start, { id: STANDARD_EVENTS.start, properties: {} }],
  [STANDARD_EVENTS.end, { id: STANDARD_EVENTS.end, properties: {} }],
  [
    STANDARD_EVENTS.pageView,
    { id: STANDARD_EVENTS.pageView, properties: { url: "string", title: "string", referrer: "string" } },
  ],
]);

/** The definitions of custom events. */
export interface Definitions {
  /** Creates or replaces a definition. */
  put(definition: EventDefinition): Promise<EventDefinition>;
  list(): Promise<DefinitionsAnswer>;
  /** Finds the definitions of these ids, and those of the standard events. */
  find(ids: readonly string[]): Promise<Map<string, EventDefinition>>;
}

export type DefinitionRow = typeof definitions.$inferSelect;

const toDefinition = ({ id, title, properties }: DefinitionRow): EventDefinition => ({
  id,
  ...(title === null ? {} : { title }),
  properties,
});

/** The definitions by id, with those of the standard events. */
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
