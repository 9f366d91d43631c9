import { describe } from "./outcome.js";

/** Deeper than anything that the service takes; what is deeper still is a mistake. */
const MAX_DEPTH = 32;

interface Jsonable {
  toJSON?: (key: string) => unknown;
}

/**
 * A copy of an argument, as it is at this moment, in plain data. It carries what JSON carries: `toJSON` is asked first,
 * then come an object's own enumerable fields. A `Date` becomes its ISO 8601 time, framework proxies are read through, and
 * fields that are `undefined` or `null` are left out. What JSON would lose in silence is refused.
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
  const refuseKind = (kind: string | number | null | undefined): never =>
    refuse(`is ${kind}, which cannot be carried`);

  /** @param isConverted - a `toJSON` gave it: JSON asks it for no other */
  const copy = (given: unknown, isConverted?: boolean): unknown => {
    if (given == null || isScalar(given)) return given;
    if (typeof given === "number") refuseKind(given);
    // Of all windows, and whatever a minifier makes of names.
    const brand = {}.toString.call(given).slice(8, -1);
    // Before its `toJSON`, which writes an invalid one as `null`.
    if (brand === "Date") return (given as Date).toISOString();
    const { toJSON } = given as Jsonable;
    if (!isConverted && typeof toJSON === "function" && !PLAIN.some((plain) => plain.toJSON === toJSON)) {
      const converted = toJSON.call(given, keys.at(-1) ?? "");
      return copy(converted, true) ?? refuseKind(`${converted as null} as JSON`);
    }
    const isList = Array.isArray(given);
    if (!isList && brand !== "Object") refuseKind(`a ${brand || "tagged object"}`);
    const source = given as Record<string, unknown>;
    if (holders.includes(source) || holders.length === MAX_DEPTH) {
      return refuse("refers back to itself, or is nested too deep");
    }

    const ownKeys = Object.keys(source);
    // As JSON each of its holes would be a word, and there may be millions.
    if (isList && ownKeys.length !== given.length) refuseKind("a list with holes or named fields");
    const depth = holders.push(source) - 1;
    // Without a prototype `__proto__` is a name like any other, for the schemas to refuse.
    const target = (isList ? [] : Object.create(null)) as Record<string, unknown>;
    for (const key of ownKeys) {
      keys[depth] = key;
      const part = copy(source[key]);
      if (part != null) target[key] = part;
      else if (isList) refuseKind(part);
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

/** Old libraries give both prototypes a `toJSON` that writes lists as text: nobody has asked for that one. */
const PLAIN: Jsonable[] = [[] as object, {}];

/**
 * What nearly all calls give: an object of texts, numbers and truth values, copied by the engine itself, five times as
 * fast. All else is `undefined` here, and looked at part by part.
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
    return undefined; // what cannot be read has a path, by which it is told
  }
};

const isScalar = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
