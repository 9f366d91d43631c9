import { describe } from "./outcome.js";

/** Deeper than anything that the service takes; what is deeper still is a mistake. */
const MAX_DEPTH = 32;

/** Why a value cannot be carried, with its path. */
export class CannotCarry extends Error {}

/**
 * A plain copy of an argument, as it is at this moment, ready for `postMessage` and for JSON: framework proxies are read
 * through, a `Date` becomes its ISO 8601 time, fields that are `undefined` are left out.
 *
 * @param root what messages call the value: `properties.items[2].price is a BigInt, which cannot be carried`
 * @throws CannotCarry
 */
export const copyValue = (root: string, value: unknown): unknown => {
  /** The objects that hold the value being copied, outermost first, and the key under which each holds the next. */
  const holders: object[] = [];
  const keys: (string | number)[] = [];

  const refuse = (what: string): never => {
    const path = keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
    throw new CannotCarry(root + path.join("") + what);
  };

  const copyObject = (source: object): unknown => {
    if (holders.includes(source)) refuse(" refers back to itself, which cannot be carried");
    if (holders.length === MAX_DEPTH) refuse(" is nested too deep");
    const depth = holders.push(source);
    let result: unknown;
    if (Array.isArray(source)) {
      const list: unknown[] = [];
      for (let i = 0; i < source.length; i++) {
        keys[depth - 1] = i;
        const item = copy(source[i]);
        list.push(item === undefined ? refuse(" is undefined, which a list cannot carry") : item);
      }
      result = list;
    } else {
      const fields: Record<string, unknown> = {};
      for (const key of Object.keys(source)) {
        keys[depth - 1] = key;
        const field = copy((source as Record<string, unknown>)[key]);
        if (key === "__proto__") {
          // Assigning would set the prototype instead.
          Object.defineProperty(fields, key, { value: field, enumerable: true });
        } else if (field !== undefined) fields[key] = field;
      }
      result = fields;
    }
    holders.pop();
    keys.length = depth - 1;
    return result;
  };

  const copy = (given: unknown): unknown => {
    switch (typeof given) {
      case "string":
      case "boolean":
      case "undefined":
        return given;
      case "number":
        return Number.isFinite(given) ? given : refuse(` is ${given}, which cannot be carried`);
      case "object":
        if (!given || Array.isArray(given)) return given && copyObject(given);
        if (isDate(given)) {
          return Number.isNaN(given.getTime())
            ? refuse(" is an invalid date, which cannot be carried")
            : given.toISOString();
        }
        return isPlain(given)
          ? copyObject(given)
          : refuse(` is a ${nameOf(given)}, which cannot be carried: give a plain object`);
    }
    return refuse(` is a ${typeof given === "bigint" ? "BigInt" : typeof given}, which cannot be carried`);
  };

  try {
    return copy(value);
  } catch (thrown) {
    if (thrown instanceof CannotCarry) throw thrown;
    return refuse(` could not be read: ${describe(thrown)}`);
  }
};

/** Both also know what comes from another window, whose `Date` and `Object` are not ours. */
const isDate = (value: object): value is Date => Object.prototype.toString.call(value) === "[object Date]";

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return !prototype || !Object.getPrototypeOf(prototype);
};

const nameOf = (value: object): string =>
  (value.constructor as { name?: string } | undefined)?.name || "thing";
