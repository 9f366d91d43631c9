import type { Outcome } from "../protocol/api.js";
import { ERRORS, errorsOf } from "../protocol/errors.js";

export type Failure = Extract<Outcome, { success: false }>;

export type ErrorCode = keyof typeof ERRORS;

const pageError = errorsOf(ERRORS);

export const fail = (code: ErrorCode, cause?: string): Failure => ({
  success: false,
  error: pageError(code, "fe-snippet", cause),
});

/** What was thrown, in words: anything can be. */
export const describe = (thrown: unknown): string => {
  try {
    return String((thrown as Error | undefined)?.message ?? thrown);
  } catch {
    return "unknown";
  }
};

/** Ends an argument's way in: the call answers with this as its cause. */
export const check = (isGood: boolean, problem: string): void => {
  if (!isGood) throw new TypeError(problem);
};
