/** What IndexedDB's errors mean to us. Dexie wraps some: the reason is then the inner one. */

const nameOf = (error: unknown, field: "self" | "inner"): unknown => {
  const at = field === "self" ? error : (error as { inner?: unknown } | null)?.inner;
  return at instanceof Object && "name" in at ? at.name : undefined;
};

const isNamed = (error: unknown, names: readonly string[]): boolean =>
  (["self", "inner"] as const).some((field) => names.includes(String(nameOf(error, field))));

/** Everything stays as it was, and works again when there is room. */
export const isFull = (error: unknown): boolean => isNamed(error, ["QuotaExceededError"]);

export const storageFull = (): Error =>
  new Error("the space that the browser gives this site is used up; free some space and call again");

/** A value that cannot be stored: another connection would not help. */
export const isOurFault = (error: unknown): boolean =>
  isNamed(error, ["DataCloneError", "DataError", "ConstraintError"]);
