/** The file in which a site keeps the definitions of its events: JSON, in the form in which the service tells them. */
import * as v from "valibot";
import { definitionEntries, newDefinitionIdSchema } from "../protocol/schemas/definitions.js";
import { problemOf } from "../protocol/schemas/parse.js";
import type { EventDefinition } from "../protocol/wire.js";

const definitionSchema = v.strictObject({ id: newDefinitionIdSchema, ...definitionEntries }, (issue) =>
  issue.expected === "never"
    ? "is not a field of a definition: id, title and properties are"
    : issue.received === "undefined"
      ? "is missing"
      : "must be an object with id, title and properties",
);
const fileSchema: v.GenericSchema<unknown, EventDefinition[]> = v.pipe(
  v.array(definitionSchema, 'must be a list of definitions, or {"definitions": […]} with one'),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const ids = new Set<string>();
    for (const { id } of dataset.value) {
      if (ids.has(id)) addIssue({ message: `defines ${id} more than once` });
      ids.add(id);
    }
  }),
);

/**
 * @param name - of the file, for messages
 * @throws an Error that names all that is wrong in it
 */
export function parseDefinitionFile(text: string, name: string): EventDefinition[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const list = Array.isArray(json) ? json : (json as { definitions?: unknown } | null)?.definitions;
  const result = v.safeParse(fileSchema, list);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => problemOf(issue));
  throw new Error(
    `${name} ${problems.length > 1 ? "has problems" : "has a problem"}:\n${problems.map((each) => `  ${each}`).join("\n")}\nNothing was changed.`,
  );
}

/** The same definitions always make the same text. */
export const definitionFile = (definitions: readonly EventDefinition[]): string =>
  `${JSON.stringify(
    {
      definitions: definitions.map(({ id, title, properties }) => ({
        id,
        ...(title === undefined ? {} : { title }),
        properties: Object.fromEntries(Object.entries(properties).toSorted(([a], [b]) => (a < b ? -1 : 1))),
      })),
    },
    null,
    2,
  )}\n`;
