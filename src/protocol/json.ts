/**
 * JSON on every border, also inside a page whose libraries have added to the built-in prototypes. Where nothing is added,
 * both functions are `JSON` itself.
 */

/** Undoes an inherited `toJSON`, with which old libraries write lists as text. */
const asItIs = function (this: Record<string, unknown>, key: string): unknown {
  return this[key];
};

/** Plain data as JSON: no `toJSON` has a say in it. */
export const toJson = (data: unknown): string =>
  // A list inherits from both prototypes that matter: `JSON` asks no text, number or boolean.
  JSON.stringify(data, "toJSON" in [] ? asItIs : undefined);

/** An object of which nothing is inherited. */
const bare = (_: string, value: unknown): unknown =>
  typeof value === "object" && value && !Array.isArray(value)
    ? Object.assign(Object.create(null) as object, value)
    : value;

const isExtended = (): boolean => {
  for (const _ in {}) return true;
  return false;
};

/**
 * What a text says. Where libraries have added enumerable members to `Object.prototype`, its objects have no prototype, so
 * that `for…in`, with which Valibot looks for unknown fields, meets their own fields only.
 *
 * @throws where it is no JSON
 */
export const fromJson = (text: string): unknown => JSON.parse(text, isExtended() ? bare : undefined);
