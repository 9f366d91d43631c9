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
  /** What is being read. */
  let at: string;
  let refusal: string | undefined;

  /** @param holders - the objects that hold it, outermost first */
  const copy = (path: string, given: unknown, holders: readonly unknown[]): unknown => {
    const type = typeof given;
    const isAbsent = given === undefined && !Array.isArray(holders.at(-1));
    if (isAbsent || type === "string" || type === "boolean" || given === null || Number.isFinite(given))
      return given;
    const refuse = (what: string): never => {
      refusal = `${path} ${what}`;
      throw refusal;
    };
    const isList = Array.isArray(given);
    if (type !== "object" || !(isList || isDate(given!) || isPlain(given!))) {
      refuse(`is ${nameOf(given)}, which cannot be carried`);
    }
    if (isDate(given!)) return given.toISOString();
    if (holders.includes(given) || holders.length === MAX_DEPTH) {
      refuse("refers back to itself, or is nested too deep");
    }
    const keys: (string | number)[] = isList ? [...given.keys()] : Object.keys(given!);
    const parts = keys.map((key) => {
      const part = (at = isList ? `${path}[${key}]` : `${path}.${key}`);
      return [key, copy(part, (given as Record<string, unknown>)[key], [...holders, given])] as const;
    });
    if (isList) return parts.map(([, part]) => part);
    return Object.fromEntries(parts.filter(([, part]) => part !== undefined));
  };

  try {
    return copy((at = root), value, []);
  } catch (thrown) {
    throw new TypeError(refusal ?? `${at!} could not be read: ${describe(thrown)}`, { cause: thrown });
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

const nameOf = (value: unknown): string =>
  value === undefined || typeof value === "number" ? `${value}` : `a ${Object(value).constructor?.name}`;
