/**
 * JSON that is safe in pages whose libraries have added to the built-in prototypes. Without such libraries, both functions
 * behave as `JSON` does.
 */

/** A replacer that undoes an inherited `toJSON`, with which old libraries write lists as text. */
const asItIs = function (this: Record<string, unknown>, key: string): unknown {
  return this[key];
};

/** Writes plain data as JSON, without calling any `toJSON`. */
export const toJson = (data: unknown): string =>
  // A list inherits from both prototypes that matter: `JSON` calls no `toJSON` of a text, a number or a boolean.
  JSON.stringify(data, "toJSON" in [] ? asItIs : undefined);

/** A reviver that gives objects no prototype. */
const bare = (_: string, value: unknown): unknown =>
  typeof value === "object" && value && !Array.isArray(value)
    ? Object.assign(Object.create(null) as object, value)
    : value;

const isExtended = (): boolean => {
  for (const _ in {}) return true;
  return false;
};

/**
 * Parses a JSON text. If libraries have added enumerable members to `Object.prototype`, the parsed objects have no prototype.
 * Then `for…in`, with which Valibot looks for unknown fields, finds only their own fields.
 *
 * @throws if the text is not JSON
 */
export const fromJson = (text: string): unknown => JSON.parse(text, isExtended() ? bare : undefined);
