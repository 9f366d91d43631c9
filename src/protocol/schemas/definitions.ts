/** The definitions of custom events, as admins write them. */
import * as v from "valibot";
import { STANDARD_EVENTS } from "../wire.js";
import { definitionIdSchema, definitionPropertiesSchema } from "./events.js";

const STANDARD_IDS: ReadonlySet<string> = new Set(Object.values(STANDARD_EVENTS));

export const newDefinitionIdSchema = v.pipe(
  definitionIdSchema,
  v.check((id) => !STANDARD_IDS.has(id), "names a standard event"),
);
/** A definition without its id. */
export const definitionEntries = {
  title: v.exactOptional(
    v.pipe(v.string("must be a string"), v.maxLength(256, "must have at most 256 characters")),
  ),
  properties: definitionPropertiesSchema,
};
export const definitionBodySchema = v.object(definitionEntries);
