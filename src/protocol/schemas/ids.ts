/** The ids of operations, sessions and profiles. */
import * as v from "valibot";

export const operationIdSchema = v.pipe(
  v.string("must be a string"),
  v.regex(/^[A-Za-z0-9_-]{1,36}$/, "must be 1–36 of A–Z a–z 0–9 _ -"),
);
export const sessionIdSchema = v.pipe(
  v.string("must be a string"),
  v.regex(/^[A-Za-z0-9_-]{1,30}$/, "must be 1–30 of A–Z a–z 0–9 _ -"),
);
/** Ids of persons and visitors. */
export const profileIdSchema = v.pipe(v.string("must be a string"), v.minLength(1), v.maxLength(128));
