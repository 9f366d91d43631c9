/** Building blocks of schemas: texts, names, and objects with known fields or with fields that the sender names. */
import * as v from "valibot";

export const text = (max: number) =>
  v.pipe(v.string("must be a string"), v.maxLength(max, `must have at most ${max} characters`));

/**
 * The schema of all names: of properties, attributes and fields of list items. Only `__proto__` is refused, because setting it
 * on an object sets the prototype.
 */
export const nameSchema = v.pipe(
  v.string("must be a string"),
  v.check((name) => name !== "__proto__", "must not be named __proto__"),
);

/**
 * Checks each of an object's own fields, and reports the first that is wrong. Valibot's `record` skips those named
 * `prototype` and `constructor`.
 */
const everyField = <Value>(
  names: v.GenericSchema<string, string>,
  values: v.GenericSchema<unknown, Value>,
): v.GenericSchema<Record<string, unknown>, Record<string, Value>> => ({
  ...v.record(names, values),
  "~run"(dataset, config) {
    const input = dataset.value as Record<string, Value>;
    for (const key of Object.keys(input)) {
      const value = input[key];
      const [issue] =
        names["~run"]({ value: key }, config).issues ?? values["~run"]({ value }, config).issues ?? [];
      if (!issue) continue;
      const at = { type: "object", origin: "value", input, key, value } as const;
      return { typed: false, value: input, issues: [{ ...issue, path: [at, ...(issue.path ?? [])] }] };
    }
    // No schema of a value changes it, so the input is the output.
    return { typed: true, value: input };
  },
});

export const isObject = (input: unknown): boolean =>
  typeof input === "object" && input !== null && !Array.isArray(input);

/** An object with fields that the sender names. */
export const record = <Value>(
  names: v.GenericSchema<string, string>,
  values: v.GenericSchema<unknown, Value>,
  message = "must be an object",
) => v.pipe(v.custom<Record<string, unknown>>(isObject, message), everyField(names, values));

/** Removes the prototype: Valibot iterates with `for…in`, which also finds what a page's libraries have added to it. */
export const bare = <Entries extends v.ObjectEntries>(entries: Entries): Entries =>
  Object.assign(Object.create(null) as object, entries);
export const object = <Entries extends v.ObjectEntries>(entries: Entries, message?: string) =>
  v.object(bare(entries), message);
