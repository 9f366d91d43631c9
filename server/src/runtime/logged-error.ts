import { DrizzleQueryError } from "drizzle-orm";

/** SQLSTATE class 22, data exceptions, whose messages quote the value. */
const DATA_EXCEPTION = /^22[0-9A-Z]{3}$/;

/**
 * The parts of an error that may be logged. An error of Drizzle contains the parameters, which are personal data. An error
 * of the database can quote rows, and an error of the pool contains the whole connection.
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
    // Without the first lines of the stack, which repeat the message.
    at: stack.split("\n").filter((line) => /^ +at /.test(line)),
    ...(cause !== undefined && { cause: loggedError(cause) }),
  };
}
