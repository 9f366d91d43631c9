/** The building blocks of every schema: texts, names, and objects of known or of the sender's own fields. */
import * as v from "valibot";

export const text = (max: number) =>
  v.pipe(v.string("must be a string"), v.maxLength(max, `must have at most ${max} characters`));

/**
 * What every name must be: of a property, an attribute, a list item's field. All but one can be carried: to set `__proto__`
 * on an object is to set its prototype.
 */
export const nameSchema = v.pipe(
  v.string("must be a string"),
  v.check((name) => name !== "__proto__", "must not be named __proto__"),
);

/**
 * Looks at each of an object's own fields, and tells of the first that is wrong. Valibot's `record` passes over those named
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
    // No schema of a value changes it, so that what came in goes out.
    return { typed: true, value: input };
  },
});

export const isObject = (input: unknown): boolean =>
  typeof input === "object" && input !== null && !Array.isArray(input);

/** Fields of the sender's own names. */
export const record = <Value>(
  names: v.GenericSchema<string, string>,
  values: v.GenericSchema<unknown, Value>,
  message = "must be an object",
) => v.pipe(v.custom<Record<string, unknown>>(isObject, message), everyField(names, values));

/** Valibot walks over entries with `for…in`, which also meets what a page's libraries have added to every object. */
export const bare = <Entries extends v.ObjectEntries>(entries: Entries): Entries =>
  Object.assign(Object.create(null) as object, entries);
export const object = <Entries extends v.ObjectEntries>(entries: Entries, message?: string) =>
  v.object(bare(entries), message);
