import { describe } from "./outcome.js";

/** Deeper than anything that the service takes; what is deeper still is a mistake. */
const MAX_DEPTH = 32;

/**
 * A plain copy of an argument, as it is at this moment, ready for JSON: framework proxies are read through, a `Date`
 * becomes its ISO 8601 time, fields that are `undefined` are left out.
 *
 * @param root what messages call the value: `properties.items[2].price is a BigInt, which cannot be carried`
 * @throws what cannot be carried, by its path
 */
export const copyValue = (root: string, value: unknown): unknown =>
  typeof value === "string" ? value : (flatCopy(value) ?? deepCopy(root, value));

const deepCopy = (root: string, value: unknown): unknown => {
  /** The objects that hold the value being copied, outermost first, and the key under which each holds the next. */
  const holders: object[] = [];
  const keys: string[] = [];
  let refusal: string | undefined;

  const refuse = (what: string): never => {
    const path = keys.map((key, depth) => (Array.isArray(holders[depth]) ? `[${key}]` : `.${key}`));
    refusal ??= `${root}${path.join("")} ${what}`;
    throw new TypeError(refusal);
  };

  const copy = (given: unknown): unknown => {
    const type = typeof given;
    if (type === "string" || type === "boolean" || given == null || Number.isFinite(given)) return given;
    const isList = Array.isArray(given);
    if (type !== "object" || !(isList || isDate(given) || isPlain(given))) {
      return refuse(`is ${type === "number" ? (given as number) : nameOf(given)}, which cannot be carried`);
    }
    if (isDate(given)) return given.toISOString();
    if (holders.includes(given) || holders.length === MAX_DEPTH) {
      return refuse("refers back to itself, or is nested too deep");
    }

    const source = given as Record<string, unknown>;
    const ownKeys = Object.keys(source);
    // As JSON each of its holes would be a word, and there may be millions.
    if (isList && ownKeys.length < given.length) refuse("has holes, which cannot be carried");
    const depth = holders.push(given) - 1;
    const target = (isList ? [] : {}) as Record<string, unknown>;
    for (const key of ownKeys) {
      keys[depth] = key;
      const part = copy(source[key]);
      if (part === undefined) {
        if (isList) refuse("is undefined, which cannot be carried");
      } else if (key !== "__proto__") target[key] = part;
      // Assigning would set the prototype instead.
      else Object.defineProperty(target, key, { value: part, enumerable: true });
    }
    keys.length = depth;
    holders.pop();
    return target;
  };

  try {
    return copy(value);
  } catch (thrown) {
    return refuse(`could not be read: ${describe(thrown)}`);
  }
};

/**
 * What nearly all calls give: an object of texts, numbers and truth values, copied by the engine itself, five times as
 * fast. All else is `undefined` here, and looked at part by part.
 */
const flatCopy = (value: unknown): object | undefined => {
  try {
    if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
    const copy = { ...(value as Record<string, unknown>) };
    for (const key in copy) {
      const part = copy[key];
      if (typeof part !== "string" && typeof part !== "boolean" && !Number.isFinite(part)) return undefined;
    }
    return copy;
  } catch {
    return undefined; // what cannot be read has a path, by which it is told
  }
};

/** Both also know what comes from another window, whose `Date` and `Object` are not ours. */
const isDate = (value: object): value is Date => ({}).toString.call(value) === "[object Date]";

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return !prototype || !Object.getPrototypeOf(prototype);
};

const nameOf = (value: unknown): string => `a ${Object(value).constructor?.name}`;
