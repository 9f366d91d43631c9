import { DrizzleQueryError } from "drizzle-orm";

/** SQLSTATE class 22: what is wrong with a value, which the message then quotes. */
const DATA_EXCEPTION = /^22[0-9A-Z]{3}$/;

/**
 * What of an error may be logged. A failed statement names its parameters, which hold what a person did; the database's
 * own error quotes rows; and one that the pool tells of brings the whole connection along.
 */
export function loggedError(error: unknown): object {
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack = "", cause } = error;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const isSilent = error instanceof DrizzleQueryError || DATA_EXCEPTION.test(code ?? "");
  return {
    name,
    ...(code && { code }),
    ...(error instanceof DrizzleQueryError && { query: error.query }),
    ...(!isSilent && { message }),
    // Without its first lines, which are the message again.
    at: stack.split("\n").filter((line) => /^ +at /.test(line)),
    ...(cause !== undefined && { cause: loggedError(cause) }),
  };
}
