import { describe } from "./outcome.js";

/** Deeper than anything that the service takes; what is deeper still is a mistake. */
const MAX_DEPTH = 32;

interface Jsonable {
  toJSON?: (key: string) => unknown;
}

/**
 * Copies an argument, as it is at this moment, to plain data. The copy has what JSON would have: `toJSON` is called first,
 * then come an object's own enumerable fields. A `Date` becomes its ISO 8601 time, framework proxies are read through, and
 * fields that are `undefined` or `null` are left out. What JSON would drop in silence is refused.
 *
 * @param root the value's name in messages: `properties.items[2].price is a BigInt, which cannot be carried`
 * @throws which part cannot be carried, by its path
 */
export const copyValue = (root: string, value: unknown): unknown =>
  typeof value === "string" ? value : (flatCopy(value) ?? deepCopy(root, value));

const deepCopy = (root: string, value: unknown): unknown => {
  /** The objects that hold the value being copied, outermost first. */
  const holders: unknown[] = [];
  /** Of the value being copied. */
  let path = root;
  let refusal: TypeError | undefined;

  const refuse = (what: string): never => {
    throw (refusal = new TypeError(`${path} ${what}`));
  };
  const refuseKind = (kind: string | number | null | undefined): never =>
    refuse(`is ${kind}, which cannot be carried`);

  /** @param isConverted - a `toJSON` returned it: JSON does not call a second one */
  const copy = (given: unknown, key: string, isConverted?: boolean): unknown => {
    if (given == null || isScalar(given)) return given;
    if (typeof given === "number") refuseKind(given);
    // It is the same in all windows, and minifiers do not change it.
    const brand = {}.toString.call(given).slice(8, -1);
    // Before its `toJSON`, which writes an invalid one as `null`.
    if (brand === "Date") return (given as Date).toISOString();
    const { toJSON } = given as Jsonable;
    if (!isConverted && typeof toJSON === "function" && !PLAIN.some((plain) => plain.toJSON === toJSON)) {
      const converted = toJSON.call(given, key);
      return copy(converted, key, true) ?? refuseKind(`${converted as null} as JSON`);
    }
    const isList = Array.isArray(given);
    if (!isList && brand !== "Object") refuseKind(`a ${brand || "tagged object"}`);
    if (holders.includes(given) || holders.length === MAX_DEPTH) {
      refuse("refers back to itself, or is nested too deep");
    }

    const ownKeys = Object.keys(given);
    // As JSON each hole would be a `null`, and there may be millions.
    if (isList && ownKeys.length !== given.length) refuseKind("a list with holes or named fields");
    // Without a prototype `__proto__` is a name like any other, for the schemas to refuse.
    const target = (isList ? [] : Object.create(null)) as Record<string, unknown>;
    const own = path;
    holders.push(given);
    for (const name of ownKeys) {
      path = own + (isList ? `[${name}]` : `.${name}`);
      const part = copy((given as Record<string, unknown>)[name], name);
      if (part != null) target[name] = part;
      else if (isList) refuseKind(part);
    }
    path = own;
    holders.pop();
    return target;
  };

  try {
    return copy(value, "");
  } catch (thrown) {
    if (refusal) throw refusal;
    return refuse(`could not be read: ${describe(thrown)}`);
  }
};

/** Old libraries give both prototypes a `toJSON` that writes lists as text: it is not called. */
const PLAIN: Jsonable[] = [[] as object, {}];

/**
 * Copies an object of strings, numbers and booleans, which nearly all calls have, with the engine's own copy: five times
 * as fast. For all else it returns `undefined`.
 */
const flatCopy = (value: unknown): object | undefined => {
  try {
    if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
    const copy = { ...(value as Record<string, unknown>) };
    for (const key in copy) {
      if (!isScalar(copy[key])) return undefined;
    }
    return copy;
  } catch {
    return undefined; // the deep copy reports the path of what cannot be read
  }
};

const isScalar = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
