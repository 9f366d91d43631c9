/** Parses an input with a schema, and names its first problem. */
import * as v from "valibot";

/** Returns the input, narrowed, or `null` if it does not match the schema. */
export const parsed = <Output>(schema: v.GenericSchema<unknown, Output>, input: unknown): Output | null => {
  const result = v.safeParse(schema, input);
  return result.success ? result.output : null;
};

/** Returns the first problem of an input as one clause that names its path, or `null`. */
export const firstProblem = (schema: v.GenericSchema, input: unknown, root = ""): string | null => {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return null;
  return problemOf(result.issues[0], root);
};

/** An issue as one clause that names its path: `birthDate must be YYYY-MM-DD`. */
export const problemOf = (issue: v.BaseIssue<unknown>, root = ""): string => {
  const path = (issue.path ?? []).reduce((text, { key }) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, root);
  return path ? `${path} ${issue.message}` : issue.message;
};
